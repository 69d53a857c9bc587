/** Pictures in words. */

import type { ClassWeight, Point, Truncation } from "../lib/index.js";
import { classesOf, isCross } from "./points.js";
import type { State } from "./state.js";

const truncationWord = (truncation: Truncation) => (truncation === null ? "off" : String(truncation));

/** A class, or a mix as "Dress 60 %, Bag 40 %". */
export function describeClasses(classes: readonly ClassWeight[], names: readonly string[]): string {
  const name = (index: number) => names[index] ?? `class ${index}`;
  const sum = classes.reduce((all, { weight }) => all + weight, 0);
  if (classes.length === 1 && classes[0]) return name(classes[0].class);
  return classes
    .map((part) => `${name(part.class)} ${Math.round((100 * part.weight) / sum)} %`)
    .join(", ");
}

const classesAfterCrosses = (point: Point) =>
  point.z.steps?.some(isCross) ? classesOf(point) : point.classes;

/** A sample of a class or mix; after crosses, what the classes have become. */
export function describePoint(point: Point, names: readonly string[]): string {
  const { z } = point;
  return `${describeClasses(classesAfterCrosses(point), names)}, seed ${z.seed}, sample ${(z.index ?? 0) + 1}`;
}

/** For the alternative text of a picture. */
export const describe = (point: Point, truncation: Truncation, names: readonly string[]) =>
  `${describePoint(point, names)}, truncation ${truncationWord(truncation)}`;

/** For a file of a view's pictures. */
export function fileName({ view, point, everyClass, truncation }: State, names: readonly string[]): string {
  const classes = everyClass && view === "samples" ? "all-classes" : fileWords(point, names);
  return `biggan-${view}-${classes}-seed-${point.z.seed}-truncation-${truncationWord(truncation)}.png`;
}

/** For a file of the selected picture. */
export function singleFileName({ point, truncation }: State, names: readonly string[]): string {
  const { seed, index = 0 } = point.z;
  const sample = `${fileWords(point, names)}-seed-${seed}-sample-${index + 1}`;
  return `biggan-${sample}-truncation-${truncationWord(truncation)}.png`;
}

/** The classes in letters that every system allows in a file's name. */
function fileWords(point: Point, names: readonly string[]): string {
  const words = classesAfterCrosses(point)
    .map((part) => names[part.class] ?? "class")
    .join(" ")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
  return words || "class";
}
