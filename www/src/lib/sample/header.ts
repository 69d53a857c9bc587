/** The sizes of a model, from the beginning of its file. */

import { type Header, readHeader } from "../base/safetensors.js";

/** Bytes of a model. */
export interface ModelSize {
  /** Of the file. */
  file: number;
  /** Of all tensors, and of the largest one, as 32-bit floats. */
  f32: number;
  largest: { name: string; f32: number };
}

/** As `readHeader`: `"more"` if the header is not complete yet, null if it is none. */
export async function readSize(beginning: Blob): Promise<ModelSize | "more" | null> {
  const header = await readHeader(beginning);
  if (header === "more" || header === null) return header;
  try {
    return sizeOf(header);
  } catch {
    return null;
  }
}

function sizeOf({ bytes, tensors }: Header): ModelSize {
  const size: ModelSize = { file: bytes, f32: 0, largest: { name: "", f32: 0 } };
  for (const [name, entry] of tensors) {
    const f32 = 4 * entry.shape.reduce((product, side) => product * side, 1);
    size.f32 += f32;
    size.file = Math.max(size.file, bytes + entry.data_offsets[1]);
    if (f32 > size.largest.f32) size.largest = { name, f32 };
  }
  return size;
}
