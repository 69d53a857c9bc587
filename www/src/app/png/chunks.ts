/** PNG files as chunks: length, type, data, CRC (PNG specification, section 5). */

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** Length, type and CRC of a chunk. */
const FRAME_BYTES = 12;

/** Table of the CRC-32 of ISO 3309, which PNG and zlib use. */
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? 0xedb88320 ^ (rest >>> 1) : rest >>> 1;
  return rest;
});

export function crc32(bytes: Uint8Array): number {
  let rest = 0xffffffff;
  for (const byte of bytes) rest = (CRC_TABLE[(rest ^ byte) & 0xff] ?? 0) ^ (rest >>> 8);
  return (rest ^ 0xffffffff) >>> 0;
}

export interface Chunk {
  /** Four letters. */
  type: string;
  data: Uint8Array;
}

/** A file of chunks. */
export function join(chunks: Chunk[]): Uint8Array<ArrayBuffer> {
  const bytes = chunks.reduce((sum, { data }) => sum + FRAME_BYTES + data.length, SIGNATURE.length);
  const file = new Uint8Array(bytes);
  const view = new DataView(file.buffer);
  file.set(SIGNATURE);
  let at = SIGNATURE.length;
  for (const { type, data } of chunks) {
    view.setUint32(at, data.length);
    for (let letter = 0; letter < 4; letter++) file[at + 4 + letter] = type.charCodeAt(letter);
    file.set(data, at + 8);
    const end = at + 8 + data.length;
    view.setUint32(end, crc32(file.subarray(at + 4, end)));
    at = end + 4;
  }
  return file;
}

/**
 * The chunks of a file, up to its end mark.
 *
 * @throws if the bytes are not a complete PNG file, or a CRC is wrong.
 */
export function split(file: Uint8Array): Chunk[] {
  if (SIGNATURE.some((byte, at) => file[at] !== byte)) throw new Error("the file is not a PNG");
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const chunks: Chunk[] = [];
  let at = SIGNATURE.length;
  for (;;) {
    if (at + FRAME_BYTES > file.length) throw new Error("the PNG is truncated");
    const length = view.getUint32(at);
    const end = at + 8 + length;
    if (end + 4 > file.length) throw new Error("the PNG is truncated");
    const type = String.fromCharCode(...file.subarray(at + 4, at + 8));
    if (crc32(file.subarray(at + 4, end)) !== view.getUint32(end)) {
      throw new Error(`the PNG is damaged: the checksum of its part ${type} is wrong`);
    }
    chunks.push({ type, data: file.subarray(at + 8, end) });
    if (type === "IEND") return chunks;
    at = end + 4;
  }
}
