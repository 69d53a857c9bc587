/** Search in class names: what the text means on the command line, then word prefixes, subsequences and typing errors. */

import { classesNamed } from "../lib/index.js";

/** Indices of the names that match, best first; all of them for an empty query. */
export function search(query: string, names: readonly string[], ids: readonly string[] = NO_IDS): number[] {
  const asked = plain(query);
  const meant = classesNamed(query, { classNames: names, classIds: ids });
  // a name may have neither letter nor digit
  if (asked === "" && meant.length === 0) return names.map((_, index) => index);
  const plainNames = inPlain(names);
  const alike = names
    .map((name, index) => {
      // ImageNet names are lists of synonyms, the usual name first
      const [usual = ""] = name.split(",");
      const shorter = -Math.min(usual.length, 500);
      return { index, score: asked === "" ? 0 : score(asked, plainNames[index] ?? "", shorter) };
    })
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || a.index - b.index)
    .map(({ index }) => index);
  return [...new Set([...meant, ...alike])];
}

const NO_IDS: readonly string[] = [];

/** Lower case without accents and marks, single spaces. */
const plain = (text: string) =>
  text
    .normalize("NFD")
    .replace(/\p{Diacritic}/gu, "")
    .toLowerCase()
    .replace(/[^\p{Letter}\p{Number}]+/gu, " ")
    .trim();

/** Normalised names, computed once per list. */
function inPlain(names: readonly string[]): string[] {
  const made = PLAIN.get(names) ?? names.map(plain);
  PLAIN.set(names, made);
  return made;
}

const PLAIN = new WeakMap<readonly string[], string[]>();

/** Ranks of the kinds of match, far enough apart for name length to break ties within a kind. */
const RANK = { whole: 9000, start: 8000, word: 7000, inside: 6000, words: 5000, typo: 4000, gaps: 1000 };

function score(asked: string, name: string, shorter: number): number {
  if (name === asked) return RANK.whole;
  if (name.startsWith(asked)) return RANK.start + shorter;
  if (` ${name}`.includes(` ${asked}`)) return RANK.word + shorter;
  if (name.includes(asked)) return RANK.inside + shorter;
  const askedWords = asked.split(" ");
  const words = name.split(" ");
  if (askedWords.every((part) => words.some((word) => word.startsWith(part)))) {
    return RANK.words + shorter;
  }
  const errors = askedWords.map((part) => Math.min(...words.map((word) => typingErrors(part, word))));
  const sum = errors.reduce((all, one) => all + one, 0);
  if (Number.isFinite(sum)) return RANK.typo - 500 * sum + shorter;
  const span = gapSpan(asked.replaceAll(" ", ""), name);
  return span === null ? 0 : Math.max(1, RANK.gaps - 10 * (span - asked.length) + shorter);
}

/** Typing errors between a typed word and the beginning of a word: one from 4 letters on, two from 7. */
function typingErrors(typed: string, word: string): number {
  const allowed = typed.length >= 7 ? 2 : typed.length >= 4 ? 1 : 0;
  // missing letters are errors
  if (word.length < typed.length - allowed) return Infinity;
  const distances = prefixDistances(typed, word.slice(0, typed.length + allowed));
  const least = Math.min(...distances.slice(typed.length - allowed));
  return least <= allowed ? least : Infinity;
}

/**
 * Insertions, deletions, replacements and exchanges of neighbours (optimal string alignment) between a text and every
 * beginning of another, the empty one first.
 */
function prefixDistances(a: string, b: string): number[] {
  let before: number[] = [];
  let above: number[] = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      const [up = 0, left = 0, corner = 0] = [above[j], row[j - 1], above[j - 1]];
      let least = Math.min(up + 1, left + 1, corner + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, (before[j - 2] ?? 0) + 1);
      }
      row.push(least);
    }
    [before, above] = [above, row];
  }
  return above;
}

/** Length of the first stretch of a name that has the letters in order. */
function gapSpan(letters: string, name: string): number | null {
  const start = name.indexOf(letters.charAt(0));
  let at = start - 1;
  for (const letter of letters) {
    at = name.indexOf(letter, at + 1);
    if (at < 0) return null;
  }
  // letters scattered over a long name match by chance
  const span = at - start + 1;
  return span <= 3 * letters.length ? span : null;
}
