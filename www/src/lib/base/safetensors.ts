/** The header of a safetensors file: its metadata and tensors, before the file is complete. */

export interface TensorEntry {
  shape: number[];
  data_offsets: [number, number];
}

export interface Header {
  /** Bytes before the tensors. */
  bytes: number;
  metadata: Record<string, string>;
  tensors: [name: string, entry: TensorEntry][];
}

/** Largest header (as in the core). */
const MOST_HEADER_BYTES = 100e6;

/**
 * The header at the beginning of a file: `"more"` if it is not complete yet, null if it is not that of a safetensors
 * file, for which the core has a better message.
 */
export async function readHeader(beginning: Blob): Promise<Header | "more" | null> {
  if (beginning.size < 8) return "more";
  const view = new DataView(await beginning.slice(0, 8).arrayBuffer());
  const bytes = Number(view.getBigUint64(0, true));
  if (bytes > MOST_HEADER_BYTES) return null;
  if (beginning.size < 8 + bytes) return "more";
  try {
    const { __metadata__: metadata = {}, ...tensors } = JSON.parse(await beginning.slice(8, 8 + bytes).text());
    return { bytes: 8 + bytes, metadata, tensors: Object.entries<TensorEntry>(tensors) };
  } catch {
    return null;
  }
}
