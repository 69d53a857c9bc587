/** The page's modules that need no browser: links, pictures' texts, search, columns. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { inflateSync } from "node:zlib";
import { runnerImport } from "vite";

const load = async (name) => {
  const path = fileURLToPath(new URL(`../src/app/${name}.ts`, import.meta.url));
  return (await runnerImport(path)).module;
};
const { DEFAULT_STATE, fit, misfits } = await load("state");
const { decode, encode } = await load("link");
const { join, split } = await load("png/chunks");
const { findText, STATE_KEYWORD } = await load("png/text");
const { encodeFast, encodeSmall } = await load("png/encode");
const { search } = await load("fuzzy");
const { gridFor } = await load("columns");
const scene = await load("scene");
const { describe, fileName } = await load("describe");

const FULL = {
  model: "https://example.org/a%20model.safetensors?x=1&y=2",
  modelId: "0123456789abcdef",
  view: "breeding",
  point: {
    classes: [
      { class: 3, weight: 60 },
      { class: 8, weight: 0.1 + 0.2 },
    ],
    z: {
      seed: 2n ** 64n - 1n,
      index: 5,
      steps: [
        { seed: 12n, size: 0.25 },
        { seed: 2n ** 60n, size: 0.1 },
      ],
      chunks: [0, -0.5, 1, 0.05],
    },
  },
  truncation: null,
  count: 64,
  end: { classes: [{ class: 9, weight: 1 }], z: { seed: 7n, index: 1 } },
  stepSize: 0.4,
  litter: 3,
};

test("a state goes into a link and back", () => {
  for (const state of [DEFAULT_STATE, FULL, { ...FULL, view: "between", truncation: 0.04 }]) {
    assert.deepEqual(decode(encode(state)), state);
    assert.deepEqual(decode(`#${encode(state)}`), state);
  }
  assert.equal(encode(DEFAULT_STATE), "class=0&seed=1&t=1&n=16");
  assert.deepEqual(decode(""), DEFAULT_STATE);
});

test("a broken link is refused with the part that is wrong", () => {
  const broken = [
    ["seed=-1", /seed=-1: .*whole number from 0 to 18446744073709551615/],
    ["seed=18446744073709551616", /whole number/],
    ["class=cat", /class=cat: .*whole number/],
    ["class=1:0,2:0", /weights are all 0/],
    ["class=1:-1,2:3", /below 0/],
    ["t=0", /t=0: .*above 0/],
    ["t=NaN", /not a number/],
    ["n=65", /from 1 to 64/],
    ["z=0,2", /-1 to 1/],
    ["steps=1:2:3", /seed:size/],
    [`steps=${Array(257).fill("1:0.1").join(",")}`, /257 steps/],
    ["view=nowhere", /choose one of samples/],
    ["colour=red", /"colour", which is unknown/],
    ["model=http://example.org/m", /over https/],
    ["model=javascript:alert(1)", /over https/],
    ["model=x", /full address/],
    ["m=xyz", /hex/],
  ];
  for (const [text, says] of broken) assert.throws(() => decode(text), says, text);
});

const MODEL = {
  classNames: ["a", "b"],
  chunks: 2,
  maxMixed: 4,
  maxCount: 4096,
  truncationRange: [0.001, 1],
};

test("what a model cannot draw is named and fitted", () => {
  const state = decode("class=3:1,1:1&z=0,0,1&t=2&n=20");
  assert.deepEqual(misfits(state, MODEL), [
    "class 3 is asked for; the model has 2, counted from 0",
    "3 chunks of z are changed; the model has 2",
    "truncation 2 is out of the model's range, 0.001 to 1",
  ]);
  const fitted = fit(state, MODEL);
  assert.deepEqual(misfits(fitted, MODEL), []);
  assert.deepEqual(fitted.point.classes, [{ class: 1, weight: 1 }]);
  assert.equal(fitted.truncation, 1);
  assert.equal(fit(state, { ...MODEL, truncationRange: null }).truncation, null);
});

/** An image whose bytes are all different from their neighbours. */
function image(width, height) {
  const data = Uint8ClampedArray.from({ length: width * height * 4 }, (_, at) =>
    at % 4 === 3 ? 255 : (at * 31) % 251,
  );
  return { width, height, data };
}

function pixels(file, { width, height }) {
  const { data } = split(file).find(({ type }) => type === "IDAT");
  const lines = inflateSync(data);
  const line = 1 + 3 * width;
  assert.equal(lines.length, line * height);
  return Array.from({ length: height }, (_, y) => [...lines.subarray(y * line + 1, (y + 1) * line)]).flat();
}

test("pictures carry their texts and all their pixels", async () => {
  // the second has more than one stored block
  for (const size of [image(3, 2), image(200, 150)]) {
    const rgb = [...size.data].filter((_, at) => at % 4 !== 3);
    for (const encodeIt of [encodeFast, encodeSmall]) {
      const file = await encodeIt(size, { Software: "x", [STATE_KEYWORD]: encode(FULL) });
      assert.deepEqual(pixels(file, size), rgb);
      assert.deepEqual(decode(findText(file, STATE_KEYWORD)), FULL);
      assert.equal(findText(file, "other"), null);
    }
  }
});

test("a PNG of another program is read too", () => {
  const file = readFileSync(new URL("../../models/fashion32.png", import.meta.url));
  assert.equal(findText(file, STATE_KEYWORD), null);
  assert.deepEqual(Buffer.from(join(split(file))), file);
});

test("broken PNGs are refused", () => {
  const file = encodeFast(image(4, 4), { [STATE_KEYWORD]: "seed=1" });
  for (let length = 8; length < file.length; length++) {
    assert.throws(() => findText(file.subarray(0, length), "none"), /truncated/);
  }
  assert.throws(() => findText(Uint8Array.of(1, 2, 3), "none"), /not a PNG/);
  const changed = file.slice();
  changed[45] ^= 1;
  assert.throws(() => findText(changed, "none"), /tEXt is wrong/);
});

const NAMES = [
  "tench, Tinca tinca",
  "goldfish, Carassius auratus",
  "great white shark",
  "tiger shark",
  "cheeseburger",
  "golden retriever",
  "T-shirt/top",
  "crème caramel",
];

test("the search finds names in the order that people expect", () => {
  const found = (query) => search(query, NAMES, ["n01440764"]).map((index) => NAMES[index]);
  assert.equal(found("").length, NAMES.length);
  assert.deepEqual(found("gold"), ["goldfish, Carassius auratus", "golden retriever"]);
  assert.equal(found("retriever")[0], "golden retriever");
  assert.equal(found("white shark")[0], "great white shark");
  assert.equal(found("shark tiger")[0], "tiger shark");
  assert.equal(found("cheesburger")[0], "cheeseburger");
  assert.equal(found("chesseburger")[0], "cheeseburger");
  assert.equal(found("godlfish")[0], "goldfish, Carassius auratus");
  assert.equal(found("tshirt")[0], "T-shirt/top");
  assert.equal(found("creme")[0], "crème caramel");
  assert.equal(found("3")[0], "tiger shark");
  assert.equal(found("n01440764")[0], "tench, Tinca tinca");
  assert.deepEqual(found("xylophone"), []);
});

test("the first name found is the class that the command line takes", () => {
  const first = (query, names) => search(query, names)[0];
  // folders 1, 10, 11, 2: a number is a name, and #2 a place
  const numbers = ["1", "10", "11", "2"];
  assert.deepEqual(["10", "2", "11", "#2"].map((query) => first(query, numbers)), [1, 3, 2, 2]);
  const odd = ["-1", "0", "A", "a", "a,b", "all", "*"];
  assert.deepEqual(odd.map((query) => first(query, odd)), odd.map((_, place) => place));
  // accents, composed or not; both cranes come first
  assert.equal(first("cafe\u0301", ["cafe", "caf\u00e9"]), 1);
  assert.deepEqual(search("crane", ["crane fly", "crane", "heron", "crane"]).slice(0, 2), [1, 3]);
});

test("a search in 1,000 names takes less than a frame or two", () => {
  const names = Array.from({ length: 1000 }, (_, index) => `${NAMES[index % NAMES.length]} of kind ${index}`);
  // the fastest of ten: other programs on the machine cost the others
  const times = Array.from({ length: 10 }, () => {
    const start = performance.now();
    search("goldne retreiver", names);
    return performance.now() - start;
  });
  const fastest = Math.min(...times);
  assert.ok(fastest < 50, `${fastest} ms`);
});

test("a grid fills the window, with full rows where they cost little", () => {
  const columns = (...args) => gridFor(...args).columns;
  assert.equal(columns(16, 358, 400, 4), 4);
  assert.equal(columns(16, 1500, 800, 8), 4);
  assert.equal(columns(16, 3000, 400, 8), 8);
  assert.equal(columns(64, 358, 400, 4), 8);
  assert.equal(columns(1, 500, 600, 4), 1);
  assert.equal(columns(5, 400, 300, 4), 3);
  const { columns: across, side } = gridFor(12, 1000, 500, 10);
  assert.ok(across * side + (across - 1) * 10 <= 1000 && (12 / across) * side <= 500);
});

test("pictures in words", () => {
  const point = { classes: [{ class: 1, weight: 3 }, { class: 2, weight: 1 }], z: { seed: 7n } };
  assert.equal(describe(point, null, ["a", "b b", "c"]), "b b 75 %, c 25 %, seed 7, truncation off");
  assert.equal(fileName(point, 0.5, ["a", "b b", "c"]), "biggan-b-b-c-seed-7-truncation-0.5.png");
});

test("the views ask for what they show", () => {
  const model = { ...MODEL, classNames: ["a", "b", "c", "d"], truncationRange: [0.001, 8] };
  const state = decode("class=3&seed=9&index=2&steps=5:0.2&n=4&litter=1&view=breeding");
  const indices = scene.samples(state, model).map(({ picture }) => picture.from.z.index);
  assert.deepEqual(indices, [0, 1, 2, 3]);

  const way = scene.way({ ...state, end: { classes: [{ class: 1, weight: 1 }], z: { seed: 3n } } }, model);
  assert.deepEqual(way.map(({ picture }) => picture.to.at), [0, 1 / 3, 2 / 3, 1]);
  assert.equal(way[0].alt, "d, seed 9, truncation 1");
  assert.match(way[1].alt, /^33 % of the way, near d,/);
  assert.equal(way[3].alt, "b, seed 3, truncation 1");

  assert.deepEqual(scene.truncationRow(model), [2, 1.5, 1, 0.5, 0.04]);
  assert.deepEqual(scene.truncationRow({ truncationRange: [0.001, 1] }), [1, 0.5, 0.04]);
  assert.deepEqual(scene.truncationRow({ truncationRange: null }), [null]);

  const children = scene.children(state, model);
  const seeds = children.map(({ picture }) => picture.from.z.steps.map(({ seed }) => Number(seed)));
  assert.deepEqual(seeds, [[5, 65], [5, 66], [5, 67], [5, 68]]);
  // a child's own link makes it the parent, and its ancestors lead back
  const child = decode(children[0].link);
  assert.deepEqual(child.point, scene.childOf(state, 0).point);
  assert.deepEqual(scene.ancestorOf(child, 1).point, state.point);
  assert.equal(scene.lineage(child, model).length, 3);
});
