/** Models made of the shipped one, or of nothing, for tests. */

import { createHash } from "node:crypto";

export const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** A safetensors file of named tensors: `{ dtype, shape, bytes }`. */
export function safetensors(metadata, tensors) {
  const entries = { __metadata__: metadata };
  let at = 0;
  for (const [name, { dtype, shape, bytes }] of tensors) {
    entries[name] = { dtype, shape, data_offsets: [at, at + bytes.length] };
    at += bytes.length;
  }
  return Buffer.concat([header(entries), ...tensors.map(([, { bytes }]) => bytes)]);
}

/** The beginning of a safetensors file. */
export function header(entries) {
  const text = Buffer.from(JSON.stringify(entries));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text]);
}

/** A model in parts: files by name, the index among them. */
export function shards(model, name, parts) {
  const length = Number(model.readBigUInt64LE(0));
  const { __metadata__: metadata, ...entries } = JSON.parse(model.subarray(8, 8 + length));
  const tensors = Object.entries(entries).map(([tensor, { dtype, shape, data_offsets }]) => {
    const [from, to] = data_offsets.map((offset) => 8 + length + offset);
    return [tensor, { dtype, shape, bytes: model.subarray(from, to) }];
  });
  const each = Math.ceil(tensors.length / parts);
  const index = {
    metadata: {
      format: metadata.format,
      format_version: metadata.format_version,
      total_size: tensors.reduce((sum, [, { bytes }]) => sum + bytes.length, 0),
      config: JSON.parse(metadata.config),
      sha256: {},
    },
    weight_map: {},
  };
  const files = {};
  for (let part = 0; part < parts; part++) {
    const five = (number) => String(number).padStart(5, "0");
    const file = `${name}-${five(part + 1)}-of-${five(parts)}.safetensors`;
    const group = tensors.slice(part * each, (part + 1) * each);
    files[file] = safetensors({ format: "biggan-shard", format_version: "1" }, group);
    index.metadata.sha256[file] = sha256(files[file]);
    for (const [tensor] of group) index.weight_map[tensor] = file;
  }
  files[`${name}.safetensors.index.json`] = Buffer.from(JSON.stringify(index));
  return files;
}

/** A model with other names of its classes. */
export function renamed(model, classNames) {
  const length = Number(model.readBigUInt64LE(0));
  const entries = JSON.parse(model.subarray(8, 8 + length));
  const config = { ...JSON.parse(entries.__metadata__.config), class_names: classNames };
  entries.__metadata__.config = JSON.stringify(config);
  return Buffer.concat([header(entries), model.subarray(8 + length)]);
}
