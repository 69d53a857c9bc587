/** Models for the page's tests, made of the clothes. */

import { readFileSync } from "node:fs";
import { MODEL } from "./native.mjs";
import { safetensors } from "./lib-shards.mjs";

/** A tensor with a row for each class. */
const EMBEDDING = "shared.weight";

/** The clothes with other classes: class i looks as class i mod 10 does. */
export function withClasses(names) {
  const model = readFileSync(MODEL);
  const length = Number(model.readBigUInt64LE(0));
  const { __metadata__: metadata, ...entries } = JSON.parse(model.subarray(8, 8 + length));
  const config = JSON.parse(metadata.config);
  const classes = config.class_names.length;
  config.generator.classes = names.length;
  config.class_names = names;
  const tensors = Object.entries(entries).map(([name, { dtype, shape, data_offsets }]) => {
    const bytes = model.subarray(...data_offsets.map((offset) => 8 + length + offset));
    if (name !== EMBEDDING) return [name, { dtype, shape, bytes }];
    const row = bytes.length / classes;
    const rows = names.map((_, index) => {
      const from = (index % classes) * row;
      return bytes.subarray(from, from + row);
    });
    return [name, { dtype, shape: [names.length, ...shape.slice(1)], bytes: Buffer.concat(rows) }];
  });
  return safetensors({ ...metadata, config: JSON.stringify(config) }, tensors);
}

/** As many names as ImageNet has, in its manner. */
export const THOUSAND = Array.from({ length: 1000 }, (_, index) => {
  const [what, of] = [
    ["tench", "goldfish", "shark", "cock", "hen", "ostrich", "brambling", "junco", "bunting", "robin"],
    ["river", "lake", "wood", "field", "garden", "mountain", "desert", "island", "marsh", "city"],
  ].map((words, place) => words[Math.floor(index / 10 ** place) % 10]);
  return `${of} ${what}, kind ${Math.floor(index / 100) + 1}`;
});
