/** Images as files. */

import { BigGanError } from "./errors.js";
import { pngOf } from "./png.js";

/** A file of a type that the browser writes; PNG is written here, for a browser may alter what is read of a canvas. */
export async function fileOf(image: ImageData, type: string, quality?: number): Promise<Blob> {
  if (type === "image/png") return pngOf(image);
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  context.putImageData(image, 0, 0);
  const read = context.getImageData(0, 0, image.width, image.height);
  if (!image.data.every((byte, place) => byte === read.data[place])) {
    throw new BigGanError(
      "unsupported",
      `type is "${type}", and this browser alters pictures as a protection against fingerprinting; give "image/png"`,
      { field: "type" },
    );
  }
  return canvas.convertToBlob(quality === undefined ? { type } : { type, quality });
}
