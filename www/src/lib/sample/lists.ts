/** A list separated by commas, of items that may have commas themselves. */

/**
 * The items of a list: from the left each as long as possible, such that the rest is a list too. An item has at most
 * `mostParts` parts between commas; `find` says what it is. Where no reading has only known items, the first item that
 * is nothing.
 */
export function longestItems<T>(
  text: string,
  mostParts: number,
  find: (item: string) => T | undefined,
): T[] | string {
  const parts = text.split(",");
  const item = (from: number, to: number) => parts.slice(from, to).join(",").trim();
  const longestFirst = (from: number): number[] => {
    const most = Math.min(from + mostParts, parts.length);
    return Array.from({ length: most - from }, (_, less) => most - less);
  };
  const isKnown = (from: number, to: number) => find(item(from, to)) !== undefined;
  // the end of the first item of the list from each part on
  const ends = new Array<number | undefined>(parts.length).fill(undefined);
  for (let from = parts.length - 1; from >= 0; from--) {
    ends[from] = longestFirst(from).find(
      (to) => (to === parts.length || ends[to] !== undefined) && isKnown(from, to),
    );
  }
  const found: T[] = [];
  for (let from = 0; from < parts.length; ) {
    // where there is no list, as far as items are known
    const to = ends[from] ?? longestFirst(from).find((end) => isKnown(from, end));
    const value = to === undefined ? undefined : find(item(from, to));
    if (to === undefined || value === undefined) return item(from, from + 1);
    found.push(value);
    from = to;
  }
  return found;
}
