/** Columns of a grid of squares. */

/** Full rows may cost this much of the pictures' size. */
const FULL_ROWS = 1.5;

/**
 * The fewest columns whose rows fit into the height, so that the pictures are as large as the window
 * allows; a few more where that fills the last row.
 */
export function columnsFor(count: number, width: number, height: number, gap: number): number {
  const fits = (columns: number) => {
    const side = (width - gap * (columns - 1)) / columns;
    const rows = Math.ceil(count / columns);
    return rows * side + gap * (rows - 1) <= height;
  };
  let fewest = 1;
  while (fewest < count && !fits(fewest)) fewest += 1;
  for (let columns = fewest; columns <= FULL_ROWS * fewest; columns++) {
    if (count % columns === 0) return columns;
  }
  return fewest;
}
