/**
 * Feature maps of the networks, for the picture: the rows of BigGAN in `crates/core/src/arch.rs` for the
 * resolutions that are trained here.
 */

import type { TrainRecipe } from "../package.js";

/** A feature map: its side in pixels and its channels. */
export interface FeatureMap {
  side: number;
  channels: number;
}

const BOTTOM = 4;
/** Channels of G before its first block and after each, in multiples of the width. */
const GENERATOR: Record<number, readonly number[]> = {
  16: [4, 4, 4],
  32: [4, 4, 4, 4],
  64: [16, 16, 8, 4, 2],
};
/** Channels of D after each block, and how many of the first blocks halve the side. */
const DISCRIMINATOR: Record<number, { widths: readonly number[]; halving: number }> = {
  16: { widths: [4, 4, 4], halving: 2 },
  32: { widths: [4, 4, 4, 4], halving: 2 },
  64: { widths: [1, 2, 4, 8, 16], halving: 4 },
};

/** From the bottom to the image's side. */
export function generatorMaps({ width }: TrainRecipe, resolution: number): FeatureMap[] {
  return (GENERATOR[resolution] ?? []).map((multiple, block) => ({
    side: BOTTOM << block,
    channels: multiple * width,
  }));
}

/** From after the first block to the head. */
export function discriminatorMaps({ width }: TrainRecipe, resolution: number): FeatureMap[] {
  const { widths = [], halving = 0 } = DISCRIMINATOR[resolution] ?? {};
  return widths.map((multiple, block) => ({
    side: resolution >> Math.min(block + 1, halving),
    channels: multiple * width,
  }));
}
