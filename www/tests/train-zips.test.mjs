/** Zips of pictures: read as the folders they hold, and what is wrong with them, in words. */

import assert from "node:assert/strict";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";
import { zipOf } from "./zips.mjs";

const load = async (name) => {
  const path = fileURLToPath(new URL(`../src/lib/train/${name}.ts`, import.meta.url));
  return (await runnerImport(path)).module;
};
const { MOST_BYTES, MOST_FILES, openZip } = await load("train-zip");
const { listClasses } = await load("class-folders");

const blob = (content) => new Blob([content]);
/** Opens zips by name; the files, with their content where it is wanted, and the findings in a line each. */
const open = async (zips) => {
  const opened = await Promise.all(Object.entries(zips).map(([path, zip]) => openZip(path, blob(zip))));
  const [files, findings] = [opened.flatMap(({ files }) => files), opened.flatMap(({ findings }) => findings)];
  const lines = findings.map(({ severity, kind, message, remedy }) => `${severity} ${kind}: ${message} | ${remedy}`);
  return { files, lines, paths: files.map(({ path }) => path) };
};
const textOf = async ({ file }) => (file instanceof Blob ? file : await file.unpack()).text();
const kindOf = async () => null;
const classesOf = async (files) => {
  const { name, classNames, pictures } = await listClasses(files, kindOf);
  return [name, classNames, pictures.length];
};

test("a zip is the folder it holds, or the only folder in it", async () => {
  const two = [["cats/0.png", "a"], ["dogs/0.png", "b"], ["dogs/1.png", "c"]];
  const top = two.map(([path, content]) => [`photos/${path}`, content]);
  const system = [["__MACOSX/photos/._0.png", "x"], [".DS_Store", "x"], ["photos/.DS_Store", "x"]];
  for (const files of [two, top, [...top, ...system], [["photos/", ""], ["photos/read.me", "x"], ...top]]) {
    const { files: found, lines } = await open({ "set.zip": zipOf(files) });
    assert.deepEqual(lines, []);
    assert.deepEqual(await classesOf(found), ["set", ["cats", "dogs"], 3]);
  }
  const parts = [["set/train/a/0.png", "a"], ["set/test/a/0.png", "b"]];
  assert.deepEqual(await classesOf((await open({ "x.zip": zipOf(parts) })).files), ["x", ["a"], 1]);
  // one class, and pictures without any folder
  assert.deepEqual(await classesOf((await open({ "x.zip": zipOf([["cats/0.png", "a"]]) })).files), ["x", ["cats"], 1]);
  assert.deepEqual((await classesOf((await open({ "cats.zip": zipOf([["0.png", "a"]]) })).files))[1], ["cats"]);
  const both = await open({ "cats.ZIP": zipOf([["0.png", "a"]]), "dogs.zip": zipOf([["1.png", "b"]]) });
  assert.deepEqual((await classesOf(both.files))[1], ["cats", "dogs"]);
});

test("stored, deflated, with sizes after the content, ZIP64, with a comment: all are unpacked one by one", async () => {
  const long = "picture ".repeat(50_000);
  for (const odd of [{}, { stored: true }, { descriptor: true }, { stored: true, descriptor: true }, { zip64: true }]) {
    const { files, lines } = await open({ "set.zip": zipOf([["a/0.png", long, odd]], { comment: "of a test" }) });
    assert.deepEqual(lines, [], JSON.stringify(odd));
    assert.equal(files[0].file.size, long.length);
    assert.equal(await textOf(files[0]), long);
    // the start alone tells what a file is
    const start = await (await files[0].file.unpack(10)).text();
    assert.ok(start.length >= 10 && start.length < long.length && long.startsWith(start), `${start.length}`);
  }
});

test("a zip in a zip, or in a folder, is passed over by name", async () => {
  const inner = zipOf([["a/0.png", "x"]]);
  const { files } = await open({ "set.zip": zipOf([["a/0.png", "x"], ["b.zip", inner], ["a/c.zip", inner]]) });
  const { passed, from } = await listClasses(files, kindOf);
  assert.equal(passed.line(from), "passed over: 2 zip files in the folder (e.g. a/c.zip)");
  const [{ severity, remedy }] = passed.findings(from);
  assert.deepEqual([severity, remedy], ["warning", "unpack them in their place, if their pictures belong to the set"]);
});

test("a name that is not UTF-8 is read, and said", async () => {
  const latin = [["a/", ""], [Buffer.from("caf\xe9/0.png", "latin1"), "x", { utf8: false }]];
  const { paths, lines } = await open({ "set.zip": zipOf([...latin, ["ünï/0.png", "x", { utf8: false }]]) });
  assert.deepEqual(paths, ["set/a/", "set/cafΘ/0.png", "set/ünï/0.png"]);
  assert.deepEqual(lines, [
    "warning zip: the zip set.zip has 1 name that is not UTF-8 and is read as code page 437: cafΘ/0.png | pack the folder again " +
      "with a program that writes UTF-8, if the class names are wrong",
  ]);
});

test("what leads out of the folder, is locked, is packed by another method or is no zip is refused in words", async () => {
  const good = ["a/0.png", "x"];
  const refused = {
    "up.zip": [zipOf([good, ["../b.png", "x"]]), /up\.zip holds the path \.\.\/b\.png, which leads out of its folder/],
    "deep.zip": [zipOf([good, ["a/../../b.png", "x"]]), /leads out of its folder/],
    "root.zip": [zipOf([good, ["/etc/b.png", "x"]]), /root\.zip holds the path \/etc\/b\.png, which is absolute/],
    "drive.zip": [zipOf([good, ["C:/b.png", "x"]]), /C:\/b\.png, which is absolute/],
    "back.zip": [zipOf([good, ["b\\c.png", "x"]]), /holds the path b\\c\.png, which has backslashes/],
    "locked.zip": [
      zipOf([["a/0.png", "x", { encrypted: true }], good, ["a/1.png", "x", { encrypted: true }]]),
      /locked\.zip is encrypted: 2 of 3 files, such as a\/0\.png; unpack it with its password, and give the folder/,
    ],
    "lzma.zip": [
      zipOf([good, ["a/1.png", "x", { method: 14 }], ["a/2.png", "x", { method: 93 }]]),
      /lzma\.zip is packed by a method that is not read \(14, 93\), such as a\/1\.png; .* deflated and stored/,
    ],
    "cut.zip": [zipOf([good, ["a/1.png", "y"]]).subarray(0, 100), /cut\.zip .*100 bytes.* is cut off, or is none/],
    "empty.zip": [Buffer.alloc(0), /empty\.zip \(0 bytes\) is cut off, or is none/],
    "text.zip": [Buffer.from("no zip at all ".repeat(100)), /is cut off, or is none/],
    "holes.zip": [zipOf([good], { entries: 3 }), /holes\.zip .* its list of files is damaged/],
  };
  for (const [name, [zip, says]] of Object.entries(refused)) {
    const { files, lines } = await open({ [name]: zip });
    assert.equal(files.length, 0, name);
    assert.equal(lines.length, 1, name);
    assert.match(lines[0].replace(" | ", "; "), says);
    assert.match(lines[0], /^fault zip: .* \| .+/);
  }
});

test("a bomb is refused before it is unpacked, and one that lies while it is", async () => {
  const large = (size) => [["a/0.png", "x", { size }], ["a/1.png", "x", { size }], ["a/2.png", "x", { size }]];
  const stated = await open({ "bomb.zip": zipOf(large(Math.ceil(MOST_BYTES / 3) + 1)) });
  assert.match(stated.lines[0], /bomb\.zip unpacks to 4,000 MB or more, at most 4,000 MB here \| /);
  const many = Array.from({ length: MOST_FILES + 1 }, (_, number) => [`a/${number}.png`, "", { stored: true }]);
  const crowd = await open({ "crowd.zip": zipOf(many) });
  assert.match(crowd.lines[0], /crowd\.zip holds more than 50,000 files/);
  // 30 MB of zeros that state 1,000 bytes, and 1,000 bytes that state 2,000
  const liar = Buffer.alloc(30e6);
  const { files, lines } = await open({
    "liar.zip": zipOf([
      ["a/0.png", liar, { size: 1000 }],
      ["a/1.png", "y".repeat(1000), { size: 2000 }],
      ["a/2.png", "damaged", { crc: 1 }],
      ["a/3.png", "x", { size: 300e6 }],
      ["a/4.png", "good"],
    ]),
  });
  assert.deepEqual(lines, []);
  const why = (number) => files[number].file.unpack().then(() => "", ({ message }) => message);
  assert.equal(await why(0), "it does not unpack to the 1000 bytes that the zip states");
  assert.match(await why(1), /^(it does not unpack to the 2000 bytes that the zip states|its checksum is wrong)/);
  assert.equal(await why(2), "its checksum is wrong: the zip is damaged");
  assert.equal(await why(3), "300000000 bytes, more than 268435456");
  assert.equal(await textOf(files[4]), "good");
});

test("files that lie over each other are one file many times", async () => {
  const zip = zipOf([["a/0.png", "x".repeat(100)], ["a/1.png", "y".repeat(100)]]);
  // the second entry of the directory leads to the first file
  const at = zip.indexOf(Buffer.from([0x50, 0x4b, 1, 2]), zip.indexOf(Buffer.from([0x50, 0x4b, 1, 2])) + 1);
  zip.writeUInt32LE(0, at + 42);
  const { files } = await open({ "set.zip": zip });
  const texts = await Promise.allSettled(files.map(textOf));
  assert.ok(texts.some(({ status }) => status === "rejected"));
});
