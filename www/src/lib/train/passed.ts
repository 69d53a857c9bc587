/** What the listing of a folder passes over: counted by the reason, each with an example. */

import type { Finding } from "./findings.js";

/** Reasons, and their words for one and for several; what may be missed first. */
const WORDS = {
  "other-kind": ["picture of a kind that is not read", "pictures of kinds that are not read"],
  zip: ["zip file in the folder", "zip files in the folder"],
  deeper: ["picture in a folder below a class folder", "pictures in folders below class folders"],
  "beside-parts": ["picture next to the parts", "pictures next to the parts"],
  unlisted: ["picture that is not listed", "pictures that are not listed"],
  empty: ["empty file", "empty files"],
  "other-file": ["file that is no picture", "files that are no pictures"],
  folder: ["folder without pictures", "folders without pictures"],
  hidden: ["hidden file", "hidden files"],
} as const;

export type Reason = keyof typeof WORDS;

const NOTHING = "nothing needs doing, if they are no pictures of the set";
const REMEDIES: Record<Reason, string> = {
  "other-kind": "convert them to PNG, JPEG or WebP",
  zip: "unpack them in their place, if their pictures belong to the set",
  deeper: "move them into the class folder itself, if they belong to the class",
  "beside-parts": "move them into a class folder of a part, or delete them",
  unlisted: "add them to the list, if they belong to the set",
  empty: NOTHING,
  "other-file": NOTHING,
  folder: NOTHING,
  hidden: NOTHING,
};
/** Pictures that the user may have meant to use. */
const PICTURES: Reason[] = ["other-kind", "zip", "deeper", "beside-parts", "unlisted"];

interface Such {
  count: number;
  /** The first by its path. */
  example: string;
  kinds: Set<string>;
}

/** Counts by reason. */
export class Passed {
  readonly #such = new Map<Reason, Such>();

  add(reason: Reason, example: string, kind?: string): void {
    this.#absorb(reason, { count: 1, example, kinds: new Set(kind ? [kind] : []) });
  }

  /** Counts all of another listing. */
  absorb(other: Passed): void {
    for (const [reason, such] of other.#such) this.#absorb(reason, such);
  }

  #absorb(reason: Reason, { count, example, kinds }: Such): void {
    const before = this.#such.get(reason);
    if (!before) {
      this.#such.set(reason, { count, example, kinds: new Set(kinds) });
      return;
    }
    before.count += count;
    if (example < before.example) before.example = example;
    for (const kind of kinds) before.kinds.add(kind);
  }

  /** "2 empty files (e.g. a/b.txt)" for each reason; examples are named from a folder on. */
  #words(from: string): [Reason, string][] {
    return (Object.keys(WORDS) as Reason[]).flatMap((reason) => {
      const such = this.#such.get(reason);
      if (!such) return [];
      const { count, example, kinds } = such;
      const [one, several] = WORDS[reason];
      const named = kinds.size > 0 ? `${[...kinds].sort().join(", ")}; ` : "";
      const inner = example.startsWith(from) ? example.slice(from.length) : example;
      const eg = count > 1 ? "e.g. " : "";
      return [[reason, `${count} ${count > 1 ? several : one} (${named}${eg}${inner})`]];
    });
  }

  /** All in one line; empty if nothing was passed over. */
  line(from: string): string {
    const all = this.#words(from).map(([, words]) => words);
    return all.length > 0 ? `passed over: ${all.join(", ")}` : "";
  }

  /** Warnings of pictures, notes of the rest. */
  findings(from: string): Finding[] {
    return this.#words(from).map(([reason, words]) => ({
      severity: PICTURES.includes(reason) ? "warning" : "note",
      kind: "passed over",
      message: `passed over: ${words}`,
      remedy: REMEDIES[reason],
    }));
  }
}
