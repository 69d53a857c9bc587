/** Recipes compared. */

import type { TrainRecipe } from "./package.js";

/** Whether two recipes give the same run. */
export function sameRecipe(a: TrainRecipe, b: TrainRecipe): boolean {
  return textOf(a) === textOf(b);
}

const textOf = (recipe: TrainRecipe): string =>
  JSON.stringify(
    Object.entries(recipe)
      // a seed may be a number or a bigint
      .map(([key, value]) => [key, key === "seed" ? String(value) : value])
      .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
  );
