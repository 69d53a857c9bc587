/** Pictures as a GIF that plays there and back, for browsers that encode no video. A chunk of its own. */

import { applyPalette, GIFEncoder, quantize } from "gifenc";
import type { Clip } from "./clip.js";
import { enlarged } from "./enlarge.js";
import { placeInLoop } from "./there-and-back.js";

/** Smaller pictures are enlarged: elsewhere they would be blurred. */
const LEAST_SIDE = 256;
const COLOURS = 256;

/** Each picture has a palette of its own. */
export function gifOf(images: readonly ImageData[], perSecond: number): Clip {
  const gif = GIFEncoder();
  const frames = Math.max(1, 2 * (images.length - 1));
  for (let frame = 0; frame < frames; frame++) {
    const image = images[placeInLoop(frame, images.length)];
    if (!image) throw new Error("there are no pictures");
    const { data, width, height } = enlarged(image, Math.ceil(LEAST_SIDE / image.width));
    // large areas of one colour: the original has the same ones
    const palette = quantize(image.data, COLOURS);
    gif.writeFrame(applyPalette(data, palette), width, height, { palette, delay: 1000 / perSecond });
  }
  gif.finish();
  return { file: new Blob([gif.bytes()], { type: "image/gif" }), ending: "gif" };
}
