/** Pictures in words. */

import type { ClassWeight, Point, Truncation } from "../lib/index.js";

const truncationWord = (truncation: Truncation) => (truncation === null ? "off" : String(truncation));

/** A class, or a mix as "Dress 60 %, Bag 40 %". */
function describeClasses(classes: readonly ClassWeight[], names: readonly string[]): string {
  const name = (index: number) => names[index] ?? `class ${index}`;
  const sum = classes.reduce((all, { weight }) => all + weight, 0);
  if (classes.length === 1 && classes[0]) return name(classes[0].class);
  return classes
    .map((part) => `${name(part.class)} ${Math.round((100 * part.weight) / sum)} %`)
    .join(", ");
}

/** For the alternative text of a picture. */
export const describe = (point: Point, truncation: Truncation, names: readonly string[]) =>
  `${describeClasses(point.classes, names)}, seed ${point.z.seed}, truncation ${truncationWord(truncation)}`;

/** For a file that is saved. */
export function fileName(point: Point, truncation: Truncation, names: readonly string[]): string {
  const name = point.classes
    .map((part) => names[part.class] ?? "class")
    .join(" ")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
  return `biggan-${name || "class"}-seed-${point.z.seed}-truncation-${truncationWord(truncation)}.png`;
}
