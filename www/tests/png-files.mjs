/** PNG files for tests. */

import assert from "node:assert/strict";
import { crc32, deflateSync, inflateSync } from "node:zlib";

function chunk(name, data) {
  const body = Buffer.concat([Buffer.from(name, "latin1"), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
}

/** Kinds of pixels: bits and PNG's colour type. */
const KINDS = { rgb: [8, 2], bits: [1, 0], rgba: [8, 6], grey16: [16, 0] };

/**
 * A picture of `lines`, each the bytes of a row. `animated` adds the chunk that makes it an animation, `exif` that of
 * Exif data.
 */
export function png(width, height, lines, { kind = "rgb", animated = false, exif } = {}) {
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
    ...(exif ? [chunk("eXIf", exif)] : []),
    chunk("IDAT", deflateSync(filtered)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

/** The pixels of an RGBA file whose lines have no filter; all its checksums must hold. */
export function rgbaOf(file) {
  const chunks = {};
  for (let at = 8; at < file.length; ) {
    const length = file.readUInt32BE(at);
    const body = file.subarray(at + 4, at + 8 + length);
    assert.equal(crc32(body), file.readUInt32BE(at + 8 + length));
    chunks[body.toString("latin1", 0, 4)] = body.subarray(4);
    at += 12 + length;
  }
  assert.deepEqual([...chunks.IHDR.subarray(8)], [...KINDS.rgba, 0, 0, 0]);
  const [width, height] = [chunks.IHDR.readUInt32BE(0), chunks.IHDR.readUInt32BE(4)];
  const lines = inflateSync(chunks.IDAT);
  const line = 1 + 4 * width;
  const data = Buffer.concat(Array.from({ length: height }, (_, y) => lines.subarray(y * line + 1, (y + 1) * line)));
  assert.ok(Array.from({ length: height }, (_, y) => lines[y * line]).every((filter) => filter === 0));
  return { width, height, data };
}

/** A colourful picture, another one for each seed. */
export function picture(width, height, seed) {
  const line = (y) =>
    Array.from({ length: width * 3 }, (_, i) => ((i + 1) * (y + 7) * (seed + 3) * 31) % 251);
  return png(width, height, Array.from({ length: height }, (_, y) => line(y)));
}

/** Exif data with an orientation, 1 to 8, in either order of bytes. */
export function exif(orientation, big = false) {
  const data = Buffer.from(big ? "MM\0*\0\0\0\x08" : "II*\0\x08\0\0\0", "latin1");
  const entry = Buffer.alloc(18);
  const [short, long] = big ? ["writeUInt16BE", "writeUInt32BE"] : ["writeUInt16LE", "writeUInt32LE"];
  entry[short](1, 0);
  entry[short](0x0112, 2);
  entry[short](3, 4);
  entry[long](1, 6);
  entry[short](orientation, 10);
  return Buffer.concat([data, entry]);
}

/** A JPEG with Exif data, and what else cameras put into the segment: a thumbnail. */
export function withExif(jpeg, data, thumbnail = Buffer.alloc(0)) {
  const body = Buffer.concat([Buffer.from("Exif\0\0", "latin1"), data, thumbnail]);
  const head = Buffer.from([0xff, 0xe1, (body.length + 2) >> 8, (body.length + 2) & 255]);
  return Buffer.concat([jpeg.subarray(0, 2), head, body, jpeg.subarray(2)]);
}
