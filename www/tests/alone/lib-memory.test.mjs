/** The memory that a model of the published width takes in a browser, over all its processes. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { libraryPage, skip } from "../lib-host.mjs";
import { REFERENCE } from "../native.mjs";

/** Most memory above the empty page's, in shares of the weights as 32-bit floats. */
const MOST = 2.2;
/** Milliseconds between two readings. */
const EVERY = 20;

/**
 * Bytes of a process; what several share is divided among them. Without the files that it maps, the browser's own program: how
 * many processes share those changes with what else runs.
 */
function bytesOf(id) {
  try {
    const parts = readFileSync(`/proc/${id}/smaps_rollup`, "utf8").matchAll(/^Pss_(?:Anon|Shmem):\s+(\d+)/gm);
    return [...parts].reduce((sum, [, kilobytes]) => sum + 1024 * Number(kilobytes), 0);
  } catch {
    return 0; // it has ended
  }
}

/** Looks at the processes of a browser: bytes of each type. */
async function processesOf(browser) {
  const session = await browser.newBrowserCDPSession();
  return async () => {
    const { processInfo } = await session.send("SystemInfo.getProcessInfo");
    const types = new Map();
    for (const { id, type } of processInfo) types.set(type, (types.get(type) ?? 0) + bytesOf(id));
    return types;
  };
}

const sumOf = (types) => [...types.values()].reduce((sum, bytes) => sum + bytes, 0);
const megabytes = (bytes) => `${Math.round(bytes / 1e6)} MB`;

/** Makes a generator and a picture; returns the most memory above the empty page's in shares of the weights. */
async function measure(t, model, { folder, cache }) {
  const { browser, page, errors } = await libraryPage(t, { folder, files: { "/large.safetensors": () => model } });
  const look = await processesOf(browser);
  const before = await look();
  let most = before;
  let looking = true;
  const watch = (async () => {
    while (looking) {
      const now = await look();
      if (sumOf(now) > sumOf(most)) most = now;
      await new Promise((resolve) => setTimeout(resolve, EVERY));
    }
  })();
  const found = await page.evaluate(async (cache) => {
    const generator = await biggan.make({ model: "/large.safetensors", cache });
    globalThis.generator = generator;
    const { samples } = await generator.sample({ class: 1, seed: 1 });
    const { info } = generator;
    return { id: info.modelId, program: info.memoryBytes, parameters: info.model.parameters, side: samples[0].image.width };
  }, cache);
  const loaded = await look();
  looking = false;
  await watch;

  const weights = 4 * found.parameters;
  const shareOf = (types) => (sumOf(types) - sumOf(before)) / weights;
  const of = (types, type) => megabytes((types.get(type) ?? 0) - (before.get(type) ?? 0));
  t.diagnostic(
    `file ${megabytes(model.length)}, weights ${megabytes(weights)}, program ${megabytes(found.program)}; most ` +
      `${shareOf(most).toFixed(2)} times the weights (page ${of(most, "renderer")}, browser ${of(most, "browser")}), ` +
      `then ${shareOf(loaded).toFixed(2)} (page ${of(loaded, "renderer")}, browser ${of(loaded, "browser")})`,
  );
  assert.deepEqual(errors, []);
  assert.equal(found.side, 128);
  assert.match(found.id, /^[0-9a-f]{64}$/);
  return shareOf(most);
}

const folderFor = (t) => {
  const folder = mkdtempSync(join(tmpdir(), "biggan-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};

test("a model of 141 MB takes no more than 2.2 times its weights", { skip, timeout: 300_000 }, async (t) => {
  const path = join(folderFor(t), "large.safetensors");
  execFileSync(REFERENCE, ["large", path], { stdio: "inherit" });
  const model = readFileSync(path);
  await t.test("kept", async (t) => {
    const share = await measure(t, model, { folder: folderFor(t), cache: true });
    assert.ok(share <= MOST, `${share} times the weights at the peak`);
  });
  // wasm has 1.76 times the weights, and the browser's process half of them: the file
  await t.test("not kept", { todo: "2.6 times the weights: the file is in the browser's memory" }, async (t) => {
    const share = await measure(t, model, { cache: false });
    assert.ok(share <= MOST, `${share} times the weights at the peak`);
  });
});
