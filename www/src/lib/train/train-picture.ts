/** A picture file resized for training. A file of its own in the package, fetched when it is needed. */

import { sha256 } from "../base/sha256.js";
import { squareRgb } from "./area.js";
import { HEADER_BYTES, isWhole, readPictureHeader } from "./picture-header.js";
import type { DecodedPicture, PictureRequest } from "./protocol.js";

/** Most pixels of a decoded picture: 4 bytes each, held more than once. */
export const MOST_PIXELS = 50e6;

/** Decodes, crops and resizes; throws with the reason if a picture cannot be used. */
export async function decodePicture({ file, resolution }: PictureRequest): Promise<DecodedPicture> {
  const start = new Uint8Array(await file.slice(0, HEADER_BYTES).arrayBuffer());
  const header = readPictureHeader(start);
  if (!header) {
    throw new Error(`neither PNG, JPEG nor WebP: ${file.size} bytes of another kind`);
  }
  if (!(await isWhole(file, header.kind))) throw new Error("truncated: it has no end marker");
  if (header.animated) throw new Error("an animation; give single pictures");
  const [width, height] = header.size ?? [0, 0];
  if (width * height > MOST_PIXELS) {
    throw new Error(
      `${width}x${height} are ${(width * height) / 1e6} million pixels; at most ${MOST_PIXELS / 1e6} million ` +
        "are decoded here: make it smaller",
    );
  }
  const { rgba, size } = await pixels(file);
  const rgb = squareRgb(rgba, size[0], size[1], resolution);
  const bytes = new Uint8Array([...words(size), ...rgb]);
  return {
    rgba: new Uint8ClampedArray(rgb.buffer as ArrayBuffer),
    size,
    grey: every(rgb, (at) => rgb[at] === rgb[at + 1] && rgb[at] === rgb[at + 2]),
    constant: every(rgb, (at) => [0, 1, 2].every((c) => rgb[at + c] === rgb[c])),
    digest: (await sha256(new Blob([bytes]))) ?? "",
  };
}

/** All pixels, rotated by the camera's orientation tag, colours as stored, transparent pixels on black. */
async function pixels(
  file: Blob,
): Promise<{ rgba: Uint8ClampedArray; size: [number, number] }> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file, { colorSpaceConversion: "none" });
  } catch {
    throw new Error("broken: it cannot be decoded");
  }
  const { width, height } = bitmap;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  if (!context) throw new Error(`this browser has no canvas of ${width}x${height} pixels`);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return { rgba: context.getImageData(0, 0, width, height).data, size: [width, height] };
}

const every = (rgb: Uint8Array, holds: (at: number) => boolean): boolean => {
  for (let at = 0; at < rgb.length; at += 3) if (!holds(at)) return false;
  return true;
};

const words = (numbers: number[]): number[] =>
  numbers.flatMap((number) => [number >>> 24, (number >>> 16) & 255, (number >>> 8) & 255, number & 255]);
