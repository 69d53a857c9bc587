/** Layouts of folders: the cases that `native-train data check` reads too (tests/native_train/layouts.rs). */

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const load = async (name) => (await runnerImport(here(`../src/lib/train/${name}.ts`))).module;
const { listClasses: listedBy } = await load("class-folders");
const { byBytes } = await load("order");

const PICTURES = here("../pkg/pictures/biggan_web.js");
const skip = existsSync(PICTURES) ? false : `no build pictures at ${PICTURES}: run cargo xtask web`;
const program = skip ? undefined : await import(PICTURES);
program?.initSync({ module: readFileSync(here("../pkg/pictures/biggan_web_bg.wasm")) });
const kindOf = async (file) => program.kindOf(new Uint8Array(await file.arrayBuffer())) ?? null;
const listClasses = async (files, options) => {
  const { classNames, pictures, ...rest } = await listedBy(files, kindOf, options);
  const classes = classNames.map((name, label) => ({ name, pictures: pictures.filter((one) => one.label === label) }));
  return { ...rest, classes, listed: pictures.map(({ path, label }) => `${path}=${classNames[label]}`) };
};

/** First bytes by kind; an ending names its kind unless a case says otherwise. */
const CONTENT = {
  png: "\x89PNG\r\n\x1a\n",
  jpeg: "\xff\xd8\xff",
  jpg: "\xff\xd8\xff",
  webp: "RIFF\0\0\0\0WEBP",
  gif: "GIF89a",
  bmp: "BM\x36\0\0\0\0\0\0\0\x36\0",
  tiff: "II*\0",
  heic: "\0\0\0\x18ftypheic",
  empty: "",
};

const blobOf = (path, kinds = {}) => {
  const kind = kinds[path] ?? /\.(\w+)$/.exec(path)?.[1].toLowerCase();
  return new Blob([Buffer.from(CONTENT[kind] ?? "no picture at all", "latin1")]);
};

/** As a person gives a folder: all paths begin with its name. */
const given = ({ files, kinds }, folder = "set/") =>
  files.map((path) => ({ path: folder + path, file: blobOf(path, kinds) }));

for (const one of JSON.parse(readFileSync(here("../../tests/fixtures/layouts/cases.json"), "utf8"))) {
  test(`the same layout as native-train: ${one.about}`, { skip }, async () => {
    if (one.refused) {
      await assert.rejects(listClasses(given(one)), ({ message }) => {
        for (const part of one.refused) assert.ok(message.includes(part), `${message} lacks ${part}`);
        return true;
      });
      return;
    }
    const { name, from, classes, passed, remarks } = await listClasses(given(one));
    assert.equal(name, "set");
    const counts = classes.map(({ name, pictures }) => [name, pictures.length]);
    assert.deepEqual(counts, Object.entries(one.classes).sort(([a], [b]) => byBytes(a, b)));
    const said = passed.line(from);
    for (const part of one.passed ?? []) assert.ok(said.includes(part), `${said} lacks ${part}`);
    for (const part of one.browser ?? []) assert.ok(remarks.join("; ").includes(part), `${remarks} lacks ${part}`);
  });
}

test("pictures of a class are in the order of the bytes of their names", { skip }, async () => {
  const files = ["a b/2.png", "a/10.png", "a/2.png", "a/\u{1f600}.png", "a/\uffee.png", "a/B.png"];
  const { classes } = await listClasses(given({ files }));
  const paths = classes.flatMap(({ pictures }) => pictures.map(({ path }) => path));
  const expected = ["a/10.png", "a/2.png", "a/B.png", "a/\uffee.png", "a/\u{1f600}.png", "a b/2.png"];
  assert.deepEqual(paths, expected.map((path) => `set/${path}`));
  const names = ["\u{1f600}", "\uffee", "\u{10ffff}", "z", "", "\ud7ff", "\ue000", "zz"];
  const bytes = [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  assert.deepEqual([...names].sort(byBytes), bytes);
});

test("folders dropped together are classes, and so is one folder of pictures, or pictures alone", { skip }, async () => {
  const of = async (files, folder = "") => {
    const { name, classes } = await listClasses(given({ files }, folder));
    return [name, classes.map(({ name }) => name)];
  };
  assert.deepEqual(await of(["cats/0.png", "dogs/0.png", "read.me"]), ["pictures", ["cats", "dogs"]]);
  assert.deepEqual(await of(["train/a/0.png", "test/a/0.png"]), ["pictures", ["a"]]);
  assert.deepEqual(await of(["cats/0.png", "cats/list.txt"]), ["pictures", ["cats"]]);
  assert.deepEqual(await of(["0.png", "1.png"]), ["pictures", ["pictures"]]);
  assert.deepEqual(await of(["set/cats/0.png", ".DS_Store"]), ["set", ["cats"]]);
});

test("a path that ends in a slash is a folder: an empty one is a class without a picture", { skip }, async () => {
  const files = [...given({ files: ["a/0.png"] }), { path: "set/.git/", file: new Blob([]) }];
  const { passed, from } = await listClasses(files);
  assert.equal(passed.line(from), "passed over: 1 hidden file (.git/)");
  files.push({ path: "set/b/", file: new Blob([]) });
  await assert.rejects(listClasses(files), /class folder set\/b has no picture/);
});

test("50,000 files are listed within a second or two", { skip }, async () => {
  const files = Array.from({ length: 50_000 }, (_, i) => `${i % 30}/${i}.png`);
  const before = performance.now();
  const { classes } = await listClasses(given({ files }));
  assert.equal(classes.length, 30);
  assert.ok(performance.now() - before < 10_000);
});

test("a list of labels is read as data pack reads it, and the rest is counted", { skip }, async () => {
  const files = ["a.png", "b.png", "sub/c.png"];
  const of = async (name, text, more = []) => {
    const labels = new File([text], name);
    const { listed, remarks, passed, from } = await listClasses(given({ files: [...files, ...more] }), { labels });
    return [...listed.map((one) => one.replace("set/", "")), ...remarks, ...(passed.line(from) ? [passed.line(from)] : [])];
  };
  const whole = ["a.png=cat", "b.png=dog", "sub/c.png=cat"];
  for (const [name, text] of [
    ["l.tsv", "a.png\tcat\nb.png\tdog\nsub/c.png\tcat\n"],
    ["l.tsv", "\ufeffa.png\tcat\r\n\r\nb.png\tdog\r\nsub\\c.png\tcat"],
    ["l.tsv", "# mine\n./a.png\tcat\n  \n./sub/../b.png\tdog\nsub/./c.png\tcat\n"],
    ["l.csv", "file,label\na.png,cat\n\"b.png\",\"dog\"\nsub/c.png,cat\n"],
    ["l.csv", "path;class\na.png;cat\nb.png;dog\nsub/c.png;cat\n"],
    ["dataset.json", JSON.stringify({ labels: [["a.png", "cat"], ["b.png", "dog"], ["sub/c.png", "cat"]] })],
  ]) {
    assert.deepEqual(await of(name, text), whole, text);
  }
  assert.deepEqual(await of("l.tsv", "a.png\tcat\nb.png\tdog\na.png\tcat\n", [".x"]), [
    "a.png=cat",
    "b.png=dog",
    "1 pictures are listed again and count once (line 3: a.png)",
    "passed over: 1 picture that is not listed (sub/c.png), 1 hidden file (.x)",
  ]);
  assert.deepEqual(await of("l.csv", 'file,label,split\na.png,"one, or two",train\n'), [
    "a.png=one, or two",
    "columns that are not used: split",
    "passed over: 2 pictures that are not listed (e.g. b.png)",
  ]);
  for (const [name, text, part] of [
    ["l.tsv", "a.png\n", /line 1 has no class; write PATH<tab>CLASS/],
    ["l.tsv", "../a.png\tcat\n", /line 1: the path \.\.\/a\.png leads out of the directory/],
    ["l.tsv", "/etc/a.png\tcat\n", /leads out of the directory/],
    ["l.tsv", "a.png\tcat\nz.png\tdog\n", /line 2: there is no picture z\.png in the folder/],
    ["l.tsv", "a.png\tcat\na.png\tdog\n", /lines 1 and 2 give a\.png different classes/],
    ["l.tsv", "a.png\tcat\tdog\n", /line 1 has 2 classes \(cat, dog\), and a browser trains with one/],
    ["l.csv", 'a.png,"cat\n', /line 1: a quote that does not end/],
    ["l.csv", "file,split,fold\na.png,x,y\n", /the header has no column for classes/],
    ["l.json", "[[1, 2]]", /label 1 is \[1,2\], expected \["PATH", CLASS\]/],
    ["l.tsv", new Uint8Array([0xff, 0xfe, 97, 0]), /not UTF-8/],
    ["l.tsv", "", /no picture/],
  ]) {
    await assert.rejects(of(name, text), (error) => part.test(error.message) && error.message.startsWith(`labels ${name}: `), `${part}`);
  }
});
