/** A reader of safetensors files with f32 tensors. */

/** Tensors by name: `{ shape, values }`. */
export function decode(file) {
  // not a Buffer, whose slices share their memory
  const bytes = new Uint8Array(file.buffer, file.byteOffset, file.byteLength);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerBytes = Number(view.getBigUint64(0, true));
  const start = 8 + headerBytes;
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, start)));
  const tensors = new Map();
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    if (entry.dtype !== "F32") throw new Error(`${name} is ${entry.dtype}, expected F32`);
    const [from, to] = entry.data_offsets;
    const values = new Float32Array(bytes.slice(start + from, start + to).buffer);
    tensors.set(name, { shape: entry.shape, values });
  }
  return tensors;
}

/** The bytes of a file with metadata and no tensors. */
export function withMetadata(metadata) {
  const header = new TextEncoder().encode(JSON.stringify({ __metadata__: metadata }));
  const file = new Uint8Array(8 + header.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true);
  file.set(header, 8);
  return file;
}
