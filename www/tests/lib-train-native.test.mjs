/** `native-train` goes on with a training of a browser, and computes what the browser computes. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { skip as noPackage, without } from "./lib-host.mjs";
import { trainPage } from "./lib-train-page.mjs";
import { NATIVE_TRAIN } from "./native.mjs";
import { decode, open } from "./safetensors.mjs";

const skip =
  noPackage ||
  without("train-cpu") ||
  (existsSync(NATIVE_TRAIN) ? false : `no ${NATIVE_TRAIN}: cargo build -p native-train`);

/** As in train.test.mjs: with beta1 = 0 Adam turns the rounding of a tiny gradient into a step. */
const WEIGHT_TOLERANCE = 1e-4;
const WEIGHT_SHARE = 0.995;

test("a downloaded checkpoint goes on natively, with the same batches", { skip, timeout: 240_000 }, async (t) => {
  const { page } = await trainPage(t);
  const files = await page.evaluate(async () => {
    const bytes = async (blob) => [...new Uint8Array(await blob.arrayBuffer())];
    const { data } = await biggan.readShipped({ resolution: 16, classes: [1, 9] });
    // two D steps a round, of 24 images: the second round crosses no epoch, the tenth does
    const recipe = { ...biggan.PRESETS[0].recipe, width: 2, batchSize: 24, dSteps: 2, zDim: 12, rateG: 1e-4, rateD: 1e-4 };
    const trainer = await biggan.createTrainer({ data, recipe, backend: "cpu" });
    const start = await bytes(await trainer.save());
    await trainer.step(7);
    const saved = await bytes(await trainer.save());
    const images = await bytes(await trainer.packedImages());
    await trainer.step(3);
    return { start, saved, images, end: await bytes(await trainer.save()) };
  });
  const folder = mkdtempSync(join(tmpdir(), "biggan-"));
  t.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "images"));
  writeFileSync(join(folder, "images/train.pack"), Buffer.from(files.images));
  writeFileSync(join(folder, "saved.safetensors"), Buffer.from(files.saved));
  const native = (...args) => {
    const run = spawnSync(NATIVE_TRAIN, args, { cwd: folder, encoding: "utf8" });
    return { code: run.status, said: run.stdout + run.stderr };
  };

  const args = ["--config", "saved.safetensors", "--resume", "--out", "run", "--steps", "3"];
  const resumed = native(...args, "--set", "data.path=images");
  assert.equal(resumed.code, 0, resumed.said);
  assert.match(resumed.said, /resuming from saved\.safetensors/);
  const [name, ...others] = readdirSync(join(folder, "run/checkpoints"));
  assert.deepEqual(others, []);
  const bytes = readFileSync(join(folder, "run/checkpoints", name));
  const expected = Buffer.from(files.end);
  const counters = (file) => JSON.parse(open(file).metadata.counters);
  assert.equal(counters(bytes).g_step, 10);
  assert.deepEqual(
    { ...counters(bytes), ema_initial_share: 0 },
    { ...counters(expected), ema_initial_share: 0 },
  );
  const share = agreement(decode(bytes), decode(expected));
  t.diagnostic(`${(100 * share).toFixed(3)} % of the weights within ${WEIGHT_TOLERANCE} after three more rounds`);
  assert.ok(share >= WEIGHT_SHARE, `${share} of the weights agree`);

  // and again: the run has a checkpoint of its own now
  const again = native(...args, "--set", "data.path=images");
  assert.equal(again.code, 0, again.said);
  assert.match(again.said, /resuming from run\/checkpoints/);

  // from the very beginning the two programs agree as well
  writeFileSync(join(folder, "start.safetensors"), Buffer.from(files.start));
  const whole = native("--config", "start.safetensors", "--out", "whole", "--steps", "7", "--set", "data.path=images");
  assert.equal(whole.code, 0, whole.said);
  const [first] = readdirSync(join(folder, "whole/checkpoints"));
  const own = decode(readFileSync(join(folder, "whole/checkpoints", first)));
  const fromStart = agreement(own, decode(Buffer.from(files.saved)));
  t.diagnostic(`${(100 * fromStart).toFixed(3)} % after seven rounds of a run of its own`);
  assert.ok(fromStart >= WEIGHT_SHARE, `${fromStart} of the weights agree`);

  // other images are refused
  const image = Buffer.from(files.images);
  image[image.length - 10] ^= 1;
  writeFileSync(join(folder, "images/train.pack"), image);
  assert.notEqual(native(...args, "--set", "data.path=images").code, 0);
});

/** Share of the weights of two checkpoints that agree; the moments are left out. */
function agreement(a, b) {
  assert.deepEqual([...a.keys()].sort(), [...b.keys()].sort());
  let [all, close] = [0, 0];
  for (const [name, { values }] of a) {
    if (!/^(generator|discriminator|ema)\./.test(name)) continue;
    const others = b.get(name).values;
    values.forEach((value, i) => {
      all += 1;
      close += Math.abs(value - others[i]) <= WEIGHT_TOLERANCE ? 1 : 0;
    });
  }
  return close / all;
}
