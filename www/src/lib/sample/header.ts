/** The header of a safetensors file: what a model needs, before it is complete. */

/** Bytes of a model. */
export interface ModelSize {
  /** Of the file. */
  file: number;
  /** Of all tensors, and of the largest one, as 32-bit floats. */
  f32: number;
  largest: { name: string; f32: number };
}

interface Entry {
  shape: number[];
  data_offsets: [number, number];
}

/** Largest header (as in the core). */
const MOST_HEADER_BYTES = 100e6;

/**
 * The sizes from the beginning of a file: `"more"` if the header is not complete yet, null if it is not a
 * safetensors file, for which the core has a better message.
 */
export async function readSize(beginning: Blob): Promise<ModelSize | "more" | null> {
  if (beginning.size < 8) return "more";
  const view = new DataView(await beginning.slice(0, 8).arrayBuffer());
  const bytes = Number(view.getBigUint64(0, true));
  if (bytes > MOST_HEADER_BYTES) return null;
  if (beginning.size < 8 + bytes) return "more";
  try {
    return sizeOf(JSON.parse(await beginning.slice(8, 8 + bytes).text()), 8 + bytes);
  } catch {
    return null;
  }
}

function sizeOf(header: Record<string, Entry>, start: number): ModelSize {
  const size: ModelSize = { file: start, f32: 0, largest: { name: "", f32: 0 } };
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const f32 = 4 * entry.shape.reduce((product, side) => product * side, 1);
    size.f32 += f32;
    size.file = Math.max(size.file, start + entry.data_offsets[1]);
    if (f32 > size.largest.f32) size.largest = { name, f32 };
  }
  return size;
}
