/** Which class a text means: the cases that the core's tests read too. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const { module } = await runnerImport(here("../src/lib/sample/class-names.ts"));
const { classOfText, classesOfText } = module;
const read = (path) => readFileSync(here(path), "utf8");

const CASES = JSON.parse(read("../../tests/fixtures/class-names/cases.json"));
/** Lines of a WordNet id and words. */
const IMAGENET = read("../../crates/core/data/imagenet_classes.txt")
  .trim()
  .split("\n")
  .map((line) => [line.slice(0, 9), line.slice(10)]);

const classesOf = ({ names = [], known }) => {
  assert.ok(known === undefined || known === "imagenet", known);
  return known
    ? { classNames: IMAGENET.map(([, words]) => words), classIds: IMAGENET.map(([id]) => id) }
    : { classNames: names, classIds: [] };
};

function check(place, { refused }, expected, find) {
  if (!refused) return assert.deepEqual(find(), expected, place);
  assert.throws(find, (error) => {
    for (const part of refused) assert.ok(error.message.includes(part), `${place}: ${error.message} lacks ${part}`);
    return true;
  }, place);
}

for (const model of CASES) {
  test(`texts mean what they mean on the command line: ${model.about}`, () => {
    const classes = classesOf(model);
    for (const one of model.class ?? []) {
      const place = JSON.stringify(one.text);
      check(place, one, one.class, () => classOfText(one.text, classes));
      if (one.class !== undefined) assert.deepEqual(classesOfText(one.text, classes), [one.class], `${place} as a list`);
    }
    for (const one of model.list ?? []) {
      check(JSON.stringify(one.text), one, one.classes, () => classesOfText(one.text, classes));
    }
  });
}

test("there are many cases, and long lists take no time", () => {
  const cases = CASES.flatMap((model) => [...(model.class ?? []), ...(model.list ?? [])]);
  assert.ok(cases.length > 80, `${cases.length}`);
  const classes = classesOf({ known: "imagenet" });
  const all = Array.from({ length: 1000 }, (_, place) => String(place));
  assert.deepEqual(classesOfText(all.join(","), classes), all.map(Number));
});
