/** A reader of safetensors files. */

/** Tensors of any type by name: `{ shape, dtype, bytes }`, and the metadata. */
export function open(file) {
  // not a Buffer, whose slices share their memory
  const all = new Uint8Array(file.buffer, file.byteOffset, file.byteLength);
  const view = new DataView(all.buffer, all.byteOffset, all.byteLength);
  const headerBytes = Number(view.getBigUint64(0, true));
  const start = 8 + headerBytes;
  const { __metadata__: metadata = {}, ...header } = JSON.parse(
    new TextDecoder().decode(all.subarray(8, start)),
  );
  const tensors = new Map();
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(header)) {
    const [from, to] = data_offsets;
    tensors.set(name, { dtype, shape, bytes: all.slice(start + from, start + to) });
  }
  return { tensors, metadata };
}

/** f32 tensors by name: `{ shape, values }`. */
export function decode(file) {
  const decoded = new Map();
  for (const [name, { dtype, shape, bytes }] of open(file).tensors) {
    if (dtype !== "F32") throw new Error(`${name} is ${dtype}, expected F32`);
    decoded.set(name, { shape, values: new Float32Array(bytes.buffer) });
  }
  return decoded;
}

/** The bytes of a file with metadata and no tensors. */
export function withMetadata(metadata) {
  const header = new TextEncoder().encode(JSON.stringify({ __metadata__: metadata }));
  const file = new Uint8Array(8 + header.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true);
  file.set(header, 8);
  return file;
}
