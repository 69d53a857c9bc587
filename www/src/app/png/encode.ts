/** Pictures as PNG files with text chunks. */

import { type Chunk, join } from "./chunks.js";
import { textChunk } from "./text.js";

/** What is needed of an `ImageData`. */
export interface Pixels {
  width: number;
  height: number;
  /** RGBA. */
  data: Uint8ClampedArray;
}

/** Largest stored block of deflate (RFC 1951, 3.2.4). */
const STORED_BYTES = 0xffff;
const ADLER_BASE = 65521;

/** An uncompressed file, synchronously: for displayed pictures, where time matters. */
export function encodeFast(image: Pixels, texts: Record<string, string>): Uint8Array<ArrayBuffer> {
  return assemble(image, texts, store(scanlines(image)));
}

/** A compressed file, for saved pictures. */
export async function encodeSmall(
  image: Pixels,
  texts: Record<string, string>,
): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([scanlines(image)]).stream().pipeThrough(new CompressionStream("deflate"));
  return assemble(image, texts, new Uint8Array(await new Response(stream).arrayBuffer()));
}

function assemble(
  { width, height }: Pixels,
  texts: Record<string, string>,
  data: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, width);
  header.setUint32(4, height);
  header.setUint8(8, 8); // bits per channel
  header.setUint8(9, 2); // RGB
  const chunks: Chunk[] = [
    { type: "IHDR", data: new Uint8Array(header.buffer) },
    ...Object.entries(texts).map(([keyword, text]) => textChunk(keyword, text)),
    { type: "IDAT", data },
    { type: "IEND", data: new Uint8Array() },
  ];
  return join(chunks);
}

/** Lines of RGB, each after a zero byte: the filter "none". The alpha of a sample is always full. */
function scanlines({ width, height, data }: Pixels): Uint8Array<ArrayBuffer> {
  const line = 1 + 3 * width;
  const lines = new Uint8Array(line * height);
  for (let y = 0; y < height; y++) {
    let at = y * line + 1;
    let from = y * width * 4;
    for (let x = 0; x < width; x++, at += 3, from += 4) {
      lines[at] = data[from] ?? 0;
      lines[at + 1] = data[from + 1] ?? 0;
      lines[at + 2] = data[from + 2] ?? 0;
    }
  }
  return lines;
}

/** A zlib stream of stored blocks (RFC 1950). */
function store(bytes: Uint8Array): Uint8Array {
  const blocks = Math.max(1, Math.ceil(bytes.length / STORED_BYTES));
  const out = new Uint8Array(2 + blocks * 5 + bytes.length + 4);
  const view = new DataView(out.buffer);
  out.set([0x78, 0x01]);
  let at = 2;
  for (let block = 0; block < blocks; block++) {
    const part = bytes.subarray(block * STORED_BYTES, (block + 1) * STORED_BYTES);
    out[at] = block === blocks - 1 ? 1 : 0;
    view.setUint16(at + 1, part.length, true);
    view.setUint16(at + 3, ~part.length & 0xffff, true);
    out.set(part, at + 5);
    at += 5 + part.length;
  }
  view.setUint32(at, adler32(bytes));
  return out;
}

function adler32(bytes: Uint8Array): number {
  let [a, b] = [1, 0];
  // 3800 sums stay below 2^32 without a remainder
  for (let start = 0; start < bytes.length; start += 3800) {
    for (const byte of bytes.subarray(start, start + 3800)) {
      a += byte;
      b += a;
    }
    a %= ADLER_BASE;
    b %= ADLER_BASE;
  }
  return ((b << 16) | a) >>> 0;
}
