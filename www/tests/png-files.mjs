/** PNG files for tests. */

import { crc32, deflateSync } from "node:zlib";

function chunk(name, data) {
  const body = Buffer.concat([Buffer.from(name, "latin1"), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
}

/** Kinds of pixels: bits and PNG's colour type. */
const KINDS = { rgb: [8, 2], bits: [1, 0] };

/** A picture of `lines`, each the bytes of a row. `animated` adds the chunk that makes it an animation. */
export function png(width, height, lines, { kind = "rgb", animated = false } = {}) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set(KINDS[kind], 8);
  const filtered = Buffer.concat(lines.flatMap((line) => [Buffer.from([0]), Buffer.from(line)]));
  const frames = Buffer.from([0, 0, 0, 1, 0, 0, 0, 0]);
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    chunk("IHDR", header),
    ...(animated ? [chunk("acTL", frames)] : []),
    chunk("IDAT", deflateSync(filtered)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

/** A colourful picture, another one for each seed. */
export function picture(width, height, seed) {
  const line = (y) =>
    Array.from({ length: width * 3 }, (_, i) => ((i + 1) * (y + 7) * (seed + 3) * 31) % 251);
  return png(width, height, Array.from({ length: height }, (_, y) => line(y)));
}
