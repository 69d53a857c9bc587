/** A picture file resized for training, by the code of `native-train`. A file of its own in the package, fetched when it is needed. */

import { messageOf } from "../base/errors.js";
import { sha256 } from "../base/sha256.js";
import { loadPictures } from "./picture-program.js";
import type { DecodedPicture, PictureRequest } from "./protocol.js";

/** As in `native-train`. */
const MOST_FILE_BYTES = 256 * 2 ** 20;

/** Decodes, crops and resizes; throws with the reason if a picture cannot be used. */
export async function decodePicture({ file, resolution }: PictureRequest): Promise<DecodedPicture> {
  const program = await loadPictures();
  if (file.size > MOST_FILE_BYTES) throw new Error(`${file.size} bytes, more than ${MOST_FILE_BYTES}`);
  const bytes = new Uint8Array(await file.arrayBuffer());
  let rgb: Uint8Array;
  let size: [number, number];
  try {
    const square = new program.Square(bytes, resolution);
    size = [square.width, square.height];
    rgb = square.rgb();
    square.free();
  } catch (error) {
    // a trap of the decoder is the fault of this file: the next one is decoded
    if (!(error instanceof WebAssembly.RuntimeError)) throw error;
    throw new Error(`it cannot be decoded (${messageOf(error)}); does it fit into memory?`);
  }
  return {
    rgba: new Uint8ClampedArray(rgb.buffer as ArrayBuffer),
    size,
    grey: every(rgb, (at) => rgb[at] === rgb[at + 1] && rgb[at] === rgb[at + 2]),
    constant: every(rgb, (at) => [0, 1, 2].every((c) => rgb[at + c] === rgb[c])),
    digest: (await sha256(new Blob([new Uint8Array([...words(size), ...rgb])]))) ?? "",
  };
}

const every = (rgb: Uint8Array, holds: (at: number) => boolean): boolean => {
  for (let at = 0; at < rgb.length; at += 3) if (!holds(at)) return false;
  return true;
};

const words = (numbers: number[]): number[] =>
  numbers.flatMap((number) => [number >>> 24, (number >>> 16) & 255, (number >>> 8) & 255, number & 255]);
