/** A picture file resized for training, by the code of `native-train`. A file of its own in the package, fetched when it is needed. */

import { messageOf } from "../base/errors.js";
import { Sha256 } from "../base/sha256.js";
import { loadPictures, type WasmSquare } from "./picture-program.js";
import type { DecodedPicture, PictureRequest } from "./protocol.js";

/** What the first bytes of a file say; null also of one that cannot be opened. */
export async function kindOfPicture(file: Blob): Promise<string | null> {
  const program = await loadPictures();
  const start = await file.slice(0, program.kindBytes()).arrayBuffer().catch(() => null);
  return start && (program.kindOf(new Uint8Array(start)) ?? null);
}

/** Decodes, makes square and resizes; throws with the reason if a picture cannot be used. */
export async function decodePicture(request: PictureRequest): Promise<DecodedPicture> {
  const { file, resolution, fit, background } = request;
  const program = await loadPictures();
  const most = program.mostFileBytes();
  if (file.size > most) throw new Error(`${file.size} bytes, more than ${most}`);
  const bytes = new Uint8Array(await file.arrayBuffer());
  let square: WasmSquare;
  try {
    square = new program.Square(bytes, resolution, fit, background);
  } catch (error) {
    // a trap of the decoder is the fault of this file: the next one is decoded
    if (!(error instanceof WebAssembly.RuntimeError)) throw error;
    throw new Error(`it cannot be decoded (${messageOf(error)}); does it fit into memory?`);
  }
  const { width, height, grey, constant, largest, transparent, animated, cmyk } = square;
  const size: [number, number] = [width, height];
  const { bitsOf16 = null, profile = null } = square;
  const rgb = square.rgb();
  square.free();
  return {
    rgba: new Uint8ClampedArray(rgb.buffer as ArrayBuffer),
    traits: { size, grey, constant, largest, transparent, bitsOf16, animated, cmyk, profile },
    digest: new Sha256().update(new Uint8Array(new Uint32Array(size).buffer)).update(rgb).hex(),
  };
}
