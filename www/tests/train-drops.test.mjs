/** Drops on the training page: entries that throw, hidden and empty folders, folders of thousands of files. */

import assert from "node:assert/strict";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";

const path = fileURLToPath(new URL("../src/app/training/dropped-files.ts", import.meta.url));
const { droppedFiles } = (await runnerImport(path)).module;

const named = (name, fullPath) => ({ name, fullPath, isFile: false, isDirectory: false });
const fileEntry = (fullPath, fails) => {
  const name = fullPath.split("/").at(-1);
  const file = (resolve, reject) => (fails ? reject(new DOMException(fails, "NotReadableError")) : resolve(new File(["x"], name)));
  return { ...named(name, fullPath), isFile: true, file };
};
/** A folder, which is read in portions as in browsers. */
const folderEntry = (fullPath, inside, fails) => {
  const name = fullPath.split("/").at(-1);
  const createReader = () => {
    let at = 0;
    const readEntries = (resolve, reject) => {
      if (fails) return reject(new DOMException(fails, "SecurityError"));
      resolve(inside.slice(at, (at += 100)));
    };
    return { readEntries };
  };
  return { ...named(name, fullPath), isDirectory: true, createReader };
};
const drop = (...entries) =>
  droppedFiles({ items: entries.map((entry) => ({ kind: "file", webkitGetAsEntry: () => entry, getAsFile: () => null })) });
const pathsOf = ({ files }) => files.map(({ path }) => path);

test("an entry that cannot be opened does not end a drop, and is named", async () => {
  const set = folderEntry("/set", [
    folderEntry("/set/a", [fileEntry("/set/a/0.png"), fileEntry("/set/a/1.png", "it has vanished"), fileEntry("/set/a/2.png")]),
    folderEntry("/set/b", [], "not permitted"),
    folderEntry("/set/c", [fileEntry("/set/c/0.png")]),
  ]);
  const dropped = await drop(set);
  assert.deepEqual(pathsOf(dropped), ["set/a/0.png", "set/a/2.png", "set/c/0.png"]);
  assert.deepEqual(dropped.unopened, [
    { path: "set/a/1.png", reason: "it has vanished" },
    { path: "set/b", reason: "not permitted" },
  ]);
});

test("hidden folders are not walked, and empty ones are seen", async () => {
  const walked = folderEntry("/set/.git", [], "this must not be read");
  const dropped = await drop(folderEntry("/set", [walked, folderEntry("/set/empty", []), fileEntry("/set/.DS_Store")]));
  assert.deepEqual(pathsOf(dropped), ["set/.git/", "set/empty/", "set/.DS_Store"]);
  assert.deepEqual(dropped.unopened, []);
});

test("several entries, and thousands of files, are all found", async () => {
  const many = Array.from({ length: 5000 }, (_, i) => fileEntry(`/many/${i}.png`));
  const dropped = await drop(folderEntry("/many", many), fileEntry("/alone.png"), folderEntry("/few", [fileEntry("/few/0.png")]));
  assert.equal(dropped.files.length, 5002);
  assert.deepEqual(pathsOf(dropped).slice(-2), ["alone.png", "few/0.png"]);
});

test("too many files, and links that lead back to themselves, end", async () => {
  const too = Array.from({ length: 50_001 }, (_, i) => fileEntry(`/too/${i}.png`));
  await assert.rejects(drop(folderEntry("/too", too)), /there are more than 50,000 files; drop a folder/);
  const round = folderEntry("/round", []);
  const entries = [{ ...round, fullPath: "/round/round" }];
  round.createReader = () => {
    let read = false;
    return { readEntries: (resolve) => resolve(read ? [] : ((read = true), entries)) };
  };
  entries[0].createReader = round.createReader;
  const { unopened } = await drop(round);
  assert.match(unopened[0].reason, /64 folders deep/);
});
