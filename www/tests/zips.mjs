/** Zip archives for tests, sound and unsound, written field by field. */

import { crc32, deflateRawSync } from "node:zlib";

const UTF8 = 1 << 11;
const DESCRIPTOR = 1 << 3;
const ENCRYPTED = 1;

const bytes = (length, fields) => {
  const out = Buffer.alloc(length);
  for (const [at, size, value] of fields) {
    if (size === 8) out.writeBigUInt64LE(BigInt(value), at);
    else out.writeUIntLE(value, at, size);
  }
  return out;
};

/**
 * An archive of `files`: a path (or its bytes) and the content, with what is odd about it: `stored`, `method`, `encrypted`,
 * `descriptor` (sizes after the content), `utf8: false` (no flag), `zip64`, `size` and `crc` (what is stated in place of
 * the truth). `entries` states another number of files.
 */
export function zipOf(files, { entries, comment = "" } = {}) {
  const parts = [];
  const directory = [];
  let offset = 0;
  for (const [path, content, odd = {}] of files) {
    const name = Buffer.from(path);
    const data = Buffer.from(content);
    const packed = odd.stored ? data : deflateRawSync(data);
    const { method = odd.stored ? 0 : 8, size = data.length, crc = crc32(data), zip64 = false } = odd;
    const flags = (odd.utf8 === false ? 0 : UTF8) | (odd.descriptor ? DESCRIPTOR : 0) | (odd.encrypted ? ENCRYPTED : 0);
    const extra = zip64
      ? bytes(20, [[0, 2, 1], [2, 2, 16], [4, 8, size], [12, 8, packed.length]])
      : Buffer.alloc(0);
    const sizes = zip64 ? [0xffffffff, 0xffffffff] : [packed.length, size];
    const later = odd.descriptor;
    const common = (at) => [
      [at, 2, zip64 ? 45 : 20],
      [at + 2, 2, flags],
      [at + 4, 2, method],
      [at + 22, 2, name.length],
      [at + 24, 2, extra.length],
    ];
    const facts = (at, [crc, packed, size]) => [[at + 10, 4, crc], [at + 14, 4, packed], [at + 18, 4, size]];
    const local = bytes(30, [[0, 4, 0x04034b50], ...common(4), ...facts(4, later ? [0, 0, 0] : [crc, ...sizes])]);
    const after = later
      ? bytes(16, [[0, 4, 0x08074b50], [4, 4, crc], [8, 4, packed.length], [12, 4, size]])
      : Buffer.alloc(0);
    directory.push(
      bytes(46, [[0, 4, 0x02014b50], [4, 2, 20], ...common(6), ...facts(6, [crc, ...sizes]), [42, 4, offset]]),
      name,
      extra,
    );
    const whole = Buffer.concat([local, name, extra, packed, after]);
    parts.push(whole);
    offset += whole.length;
  }
  const central = Buffer.concat(directory);
  const count = entries ?? files.length;
  const end = bytes(22, [
    [0, 4, 0x06054b50],
    [8, 2, Math.min(count, 0xffff)],
    [10, 2, Math.min(count, 0xffff)],
    [12, 4, central.length],
    [16, 4, offset],
    [20, 2, comment.length],
  ]);
  return Buffer.concat([...parts, central, end, Buffer.from(comment)]);
}

/** An archive of files by path, as a folder is given to `folderOf`. */
export const zipOfFolder = (files, odd) => zipOf(Object.entries(files).map(([path, content]) => [path, content, odd]));
