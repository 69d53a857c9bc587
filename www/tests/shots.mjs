/** Screenshots that are kept: the same pixels, in fewer bytes than a browser takes where that is possible. */

import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { crc32, deflateSync, inflateSync } from "node:zlib";

const FOLDER = fileURLToPath(new URL("shots/", import.meta.url));
const SIGNATURE_BYTES = 8;

/** Writes a screenshot to `shots/`. */
export function keepShot(name, png) {
  mkdirSync(FOLDER, { recursive: true });
  const packed = smaller(png);
  writeFileSync(`${FOLDER}${name}.png`, packed.length < png.length ? packed : png);
}

/** Lines without a filter compress best where areas are flat, as on a page; photographs would not. */
function smaller(png) {
  const chunks = [];
  for (let at = SIGNATURE_BYTES; at < png.length; ) {
    const length = png.readUInt32BE(at);
    chunks.push({ type: png.toString("latin1", at + 4, at + 8), data: png.subarray(at + 8, at + 8 + length) });
    at += 12 + length;
  }
  const of = (type) => Buffer.concat(chunks.filter((chunk) => chunk.type === type).map(({ data }) => data));
  const header = of("IHDR");
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const channels = { 2: 3, 6: 4 }[header[9]];
  const pixels = unfilter(inflateSync(of("IDAT")), width * channels, height, channels);
  const rgb = Buffer.alloc((3 * width + 1) * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      pixels.copy(rgb, y * (3 * width + 1) + 1 + 3 * x, (y * width + x) * channels, (y * width + x) * channels + 3);
    }
  }
  const rgbHeader = Buffer.from(header);
  rgbHeader[9] = 2;
  return Buffer.concat([
    png.subarray(0, SIGNATURE_BYTES),
    chunk("IHDR", rgbHeader),
    chunk("IDAT", deflateSync(rgb, { level: 9, memLevel: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

/** Undoes the filters of PNG lines (PNG specification, section 9). */
function unfilter(lines, line, height, step) {
  const out = Buffer.alloc(line * height);
  for (let y = 0; y < height; y++) {
    const filter = lines[y * (line + 1)];
    for (let x = 0; x < line; x++) {
      const left = x >= step ? out[y * line + x - step] : 0;
      const up = y > 0 ? out[(y - 1) * line + x] : 0;
      const corner = x >= step && y > 0 ? out[(y - 1) * line + x - step] : 0;
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter];
      out[y * line + x] = lines[y * (line + 1) + 1 + x] + guess;
    }
  }
  return out;
}

function paeth(left, up, corner) {
  const guess = left + up - corner;
  const [byLeft, byUp, byCorner] = [left, up, corner].map((value) => Math.abs(guess - value));
  if (byLeft <= byUp && byLeft <= byCorner) return left;
  return byUp <= byCorner ? up : corner;
}
