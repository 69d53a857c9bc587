/** What a browser keeps of a training: across reloads and crashes, and where it keeps nothing. */

import assert from "node:assert/strict";
import test from "node:test";
import { newPage, skip as noPackage, without } from "./lib-host.mjs";
import { loadTrainer, trainPage } from "./lib-train-page.mjs";

const LIMIT = { skip: noPackage || without("train-cpu"), timeout: 120_000 };

/** Trains two steps and keeps them. */
const trainAndKeep = (page) =>
  page.evaluate(async () => {
    const trainer = await biggan.tiny();
    await trainer.step(2);
    const { data } = await biggan.readShipped({ resolution: 16, classes: [1, 9] });
    const store = await biggan.openStore();
    const { recipe } = trainer.state;
    await store.keep({ checkpoint: await trainer.save(), data, recipe, note: { open: true } });
    globalThis.kept = { trainer, store, data };
    return { step: trainer.state.gStep, sha256: data.sha256 };
  });

/** Goes on from what is kept. */
const goOn = (page) =>
  page.evaluate(async () => {
    const last = await (await biggan.openStore()).last();
    if (!last) return null;
    const { checkpoint, data, recipe, note, savedAt } = last;
    const trainer = await biggan.createTrainer({ data, recipe, checkpoint, backend: "cpu" });
    const before = trainer.state.gStep;
    await trainer.step(1);
    const straight = await biggan.tiny();
    await straight.step(3);
    const same = await biggan.sameBytes(await trainer.save(), await straight.save());
    return { before, same, note, sha256: data.sha256, recent: Date.now() - savedAt < 60_000 };
  });

test("a training goes on after a reload", LIMIT, async (t) => {
  const { page, origin, errors } = await trainPage(t);
  const { sha256 } = await trainAndKeep(page);
  await loadTrainer(page, origin);
  const expected = { before: 2, same: true, note: { open: true }, sha256, recent: true };
  assert.deepEqual(await goOn(page), expected);
  await page.evaluate(async () => (await biggan.openStore()).clear());
  assert.equal(await goOn(page), null);
  assert.deepEqual(errors, []);
});

test("a training goes on after the page has crashed", LIMIT, async (t) => {
  const { page, context, origin } = await trainPage(t);
  await trainAndKeep(page);
  const crashed = new Promise((resolve) => page.once("crash", resolve));
  page.goto("chrome://crash").catch(() => {});
  await crashed;
  const next = await newPage(context);
  await loadTrainer(next.page, origin);
  assert.equal((await goOn(next.page)).same, true);
});

test("large seeds and other images take the place of those before", LIMIT, async (t) => {
  const { page } = await trainPage(t);
  const found = await page.evaluate(async () => {
    const store = await biggan.openStore();
    const note = null;
    for (const classes of [[1], [2, 3]]) {
      const { data } = await biggan.readShipped({ resolution: 16, classes });
      const recipe = { ...biggan.PRESETS[0].recipe, seed: 2n ** 64n - 1n };
      await store.keep({ checkpoint: new Blob(["a state"]), data, recipe, note });
    }
    const { data, recipe, checkpoint } = await store.last();
    const names = await (await caches.open("biggan-training-1")).keys();
    return {
      classes: data.classNames,
      seed: String(recipe.seed),
      text: await checkpoint.text(),
      files: names.length,
    };
  });
  assert.deepEqual(found, {
    classes: ["cutouts", "landscape"],
    seed: "18446744073709551615",
    text: "a state",
    files: 2,
  });
});

test("a note of any size and alphabet comes back with its run", LIMIT, async (t) => {
  const { page } = await trainPage(t);
  const same = await page.evaluate(async () => {
    const store = await biggan.openStore();
    const { data } = await biggan.readShipped({ resolution: 16, classes: [1] });
    const note = { curves: "é曲線".repeat(400_000) };
    await store.keep({ checkpoint: new Blob(["a state"]), data, recipe: biggan.PRESETS[0].recipe, note });
    const last = await store.last();
    return last.note.curves === note.curves && (await last.checkpoint.text()) === "a state";
  });
  assert.equal(same, true);
});

test("a browser that cannot write to OPFS keeps a run too", LIMIT, async (t) => {
  const { page, origin } = await trainPage(t);
  // as Safari before 26, and WebKitGTK
  await page.addInitScript(() => {
    delete FileSystemFileHandle.prototype.createWritable;
    delete StorageManager.prototype.getDirectory;
  });
  await loadTrainer(page, origin);
  await trainAndKeep(page);
  await loadTrainer(page, origin);
  assert.equal((await goOn(page)).same, true);
});

test("a full disk is told with its numbers; training and the checkpoint before stay", LIMIT, async (t) => {
  const { page, context, origin } = await trainPage(t);
  await trainAndKeep(page);
  const devtools = await context.newCDPSession(page);
  await devtools.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 600_000 });
  const found = await page.evaluate(async () => {
    const { trainer, store, data } = kept;
    await trainer.step(1);
    const { recipe } = trainer.state;
    const checkpoint = new Blob([await trainer.save(), new Uint8Array(2e6)]);
    const failure = await biggan.failure(store.keep({ checkpoint, data, recipe, note: null }));
    const last = await store.last();
    return { failure, gStep: (await trainer.step(1))[0].gStep, note: last.note };
  });
  const { code, message, numbers } = found.failure;
  assert.equal(code, "storage");
  assert.match(message, /storage for the page is full: .* take \d\.\d MB.*the checkpoint before stays/);
  assert.ok(numbers.needed > 2e6, `${numbers.needed} needed`);
  assert.deepEqual([found.gStep, found.note], [4, { open: true }]);
});

test("where storage is denied, and in a second tab, that is said", LIMIT, async (t) => {
  const { page, context, origin } = await trainPage(t);
  const denied = await page.evaluate(async () => {
    const { open } = CacheStorage.prototype;
    // as browsers do in private windows
    CacheStorage.prototype.open = async () => {
      throw new DOMException("The operation is insecure", "SecurityError");
    };
    const failure = await biggan.failure(biggan.openStore());
    CacheStorage.prototype.open = open;
    return failure;
  });
  assert.equal(denied.code, "storage");
  assert.match(denied.message, /keeps no files for this page .*a private window/);
  await trainAndKeep(page);
  const second = await newPage(context);
  await loadTrainer(second.page, origin);
  const other = await second.page.evaluate(() => biggan.failure(biggan.openStore()));
  assert.equal(other.code, "storage");
  assert.match(other.message, /another tab/);
  await page.close();
  assert.equal((await goOn(second.page)).same, true);
});
