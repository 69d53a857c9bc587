/**
 * Which class a text means: the rule of the core's `class_names`, with the same cases (tests/fixtures/class-names). Not
 * called through wasm: a request is judged before it is sent to a worker, and JavaScript has Unicode's normal forms
 * built in, whose tables every build would otherwise carry.
 *
 * The first of these that fits decides; where it fits several classes, the text is refused with their names:
 *
 * 1. a name, exactly as it is;
 * 2. a name, whether its accents are composed or decomposed (NFC), blanks at the ends aside;
 * 3. a name, whatever its case, or a synonym (the parts of a name between commas);
 * 4. a synonym whatever its case, several in a row, or an id in an external vocabulary;
 * 5. a number, unless classes are named by numbers; `#10` is the eleventh class in any case.
 */

import { longestItems } from "./lists.js";

/** The names of a model's classes, and ids in an external vocabulary. */
export interface Classes {
  classNames: readonly string[];
  classIds: readonly string[];
}

/** Most names that a message lists. */
const MOST_LISTED = 20;

/** Why a text is not a class, or not a list of classes. */
export class NoClass extends Error {}

/** All classes of the first rule that fits a text: one, where it has a meaning. */
export const classesNamed = (text: string, classes: Classes): number[] => Names.of(classes).find(text);

/** The class that a text means. Throws `NoClass`, whose message has the candidates. */
export function classOfText(text: string, classes: Classes): number {
  const found = classesNamed(text, classes);
  const [only, more] = found;
  if (only === undefined || more !== undefined) throw refusal(text, found, classes);
  return only;
}

/**
 * The classes of a list separated by commas, in its order. The whole text is tried as a class first, and from the left
 * every item is as long as possible: names may have commas. `*` is every class, and so is `all`, unless a class has that
 * name. Throws `NoClass` for the first item at fault.
 */
export function classesOfText(text: string, classes: Classes): number[] {
  const names = Names.of(classes);
  const whole = names.find(text);
  if (whole.length === 1) return whole;
  if (whole.length === 0 && isEvery(text)) return classes.classNames.map((_, place) => place);
  const found = longestItems(text, names.mostParts, (item) => {
    const of = names.find(item);
    return of.length === 1 ? of[0] : undefined;
  });
  if (typeof found === "string") throw refusal(found, names.find(found), classes);
  return found;
}

/** Composed, without blanks at the ends. */
const composed = (text: string): string => trim(text).normalize("NFC");

/** Composed, in lower case. (Lower case can decompose.) */
const folded = (text: string): string => composed(text).toLowerCase().normalize("NFC");

/** As Rust trims: by Unicode's White_Space. */
const trim = (text: string): string => text.replace(/^\p{White_Space}+|\p{White_Space}+$/gu, "");

const isEvery = (text: string): boolean => /^(\*|all)$/i.test(trim(text));

/** Digits, of any script, with signs and points: `7`, `-1`, `0.5`, `10-19`. */
const areNumbers = ({ classNames }: Classes): boolean =>
  classNames.some((name) => /^[\p{N}+.-]*\p{N}[\p{N}+.-]*$/u.test(trim(name)));

/** The class of a number, if there are so many. */
const numbered = (digits: string, { classNames }: Classes): number[] =>
  /^\d+$/.test(digits) && Number(digits) < classNames.length ? [Number(digits)] : [];

const sorted = (places: Iterable<number>): number[] => [...new Set(places)].sort((a, b) => a - b);

/** Classes by texts. */
class Index {
  readonly #places = new Map<string, Set<number>>();

  add(text: string, place: number): void {
    const places = this.#places.get(text);
    if (places) places.add(place);
    else this.#places.set(text, new Set([place]));
  }

  get(text: string): number[] {
    return sorted(this.#places.get(text) ?? []);
  }
}

/** The names in the forms that texts are compared with, a rule each. */
class Names {
  readonly mostParts: number;
  readonly #classes: Classes;
  readonly #areNumbers: boolean;
  readonly #exact = new Index();
  readonly #composed = new Index();
  readonly #folded = new Index();
  readonly #synonyms = new Index();
  readonly #synonymsOrId = new Index();

  /** Made once for a model's lists. */
  static of(classes: Classes): Names {
    const made = Names.#made.get(classes.classNames);
    if (made !== undefined && made.#classes.classIds === classes.classIds) return made;
    const names = new Names(classes);
    Names.#made.set(classes.classNames, names);
    return names;
  }

  static readonly #made = new WeakMap<readonly string[], Names>();

  private constructor(classes: Classes) {
    this.#classes = classes;
    this.#areNumbers = areNumbers(classes);
    let mostParts = 1;
    classes.classNames.forEach((name, place) => {
      this.#exact.add(name, place);
      this.#composed.add(composed(name), place);
      this.#folded.add(folded(name), place);
      const words = name.split(",");
      for (const word of words.map(composed)) if (word !== "") this.#synonyms.add(word, place);
      const lower = words.map(folded);
      for (const from of lower.keys()) {
        for (let to = from + 1; to <= lower.length && lower[to - 1] !== ""; to++) {
          this.#synonymsOrId.add(lower.slice(from, to).join(","), place);
        }
      }
      mostParts = Math.max(mostParts, words.length);
    });
    classes.classIds.forEach((id, place) => this.#synonymsOrId.add(folded(id), place));
    this.mostParts = mostParts;
  }

  /** All classes of the first rule that fits. */
  find(text: string): number[] {
    const typed = trim(text);
    const digits = typed.replace(/^#/, "");
    const isNumber = digits !== typed || !this.#areNumbers;
    const rules = [
      () => this.#exact.get(text),
      () => this.#composed.get(composed(text)),
      () => sorted([...this.#folded.get(folded(text)), ...this.#synonyms.get(composed(text))]),
      () => this.#synonymsOrId.get(text.split(",").map(folded).join(",")),
      () => (isNumber ? numbered(digits, this.#classes) : []),
    ];
    for (const rule of rules) {
      const found = rule();
      if (found.length > 0) return found;
    }
    return [];
  }
}

function refusal(text: string, found: number[], classes: Classes): NoClass {
  const { classNames } = classes;
  const what = `class ${quoted(trim(text))}`;
  const list = (places: number[]) => listed(places, classes);
  if (found.length > 0) {
    return new NoClass(`${what} is the name of ${list(found)}; give one by its number, such as #${found[0]}`);
  }
  const all = classNames.map((_, place) => place);
  const [number] = areNumbers(classes) ? numbered(trim(text), classes) : [];
  if (number !== undefined) {
    const name = quoted(classNames[number] ?? "");
    return new NoClass(
      `${what} is unknown, and numbers are names here; give one of ${list(all)}, or #${number} for ${name}`,
    );
  }
  const near = similar(text, classNames);
  return new NoClass(
    `${what} is unknown; ${near.length > 0 ? `did you mean ${list(near)}` : `the model has ${list(all)}`}`,
  );
}

/** Classes with a synonym that begins with a text, then those whose name contains it. */
function similar(text: string, classNames: readonly string[]): number[] {
  const part = folded(text);
  if (part === "") return [];
  const names = classNames.map(folded);
  const begins = (name: string) => name.split(",").some((word) => trim(word).startsWith(part));
  const places = names.map((_, place) => place);
  return [
    ...places.filter((place) => begins(names[place]!)),
    ...places.filter((place) => names[place]!.includes(part) && !begins(names[place]!)),
  ];
}

/** Classes with their numbers, for a message. */
function listed(places: number[], classes: Classes): string {
  const mark = areNumbers(classes) ? "#" : "";
  const named = places.slice(0, MOST_LISTED).map((place) => `${mark}${place} ${shown(classes.classNames[place] ?? "")}`);
  const rest = places.length - named.length;
  return named.join("; ") + (rest > 0 ? `; and ${rest} more` : "");
}

/** A name in a message: control characters and blanks at the ends are seen. */
const shown = (name: string): string =>
  /\p{Cc}/u.test(name) || trim(name) !== name || name === "" ? quoted(name) : name;

const quoted = (text: string): string =>
  JSON.stringify(text).replace(/\u007f|[\u0080-\u009f]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
