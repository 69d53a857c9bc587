/** A recipe converted to the core's format, and back. */

import type { TrainRecipe } from "./api.js";

/** The core's JSON of a recipe: a seed in digits, since JavaScript's numbers end at 2^53. */
export const encodeRecipe = ({ seed, ...rest }: TrainRecipe): string =>
  JSON.stringify({ ...rest, seed: String(seed) });

/** The inverse. */
export function decodeRecipe(json: string): TrainRecipe {
  const { seed, ...rest } = JSON.parse(json);
  const whole = BigInt(seed);
  return { ...rest, seed: whole <= Number.MAX_SAFE_INTEGER ? Number(whole) : whole };
}
