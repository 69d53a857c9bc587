/** Training on WebGPU, by Chromium's software adapter: slow, but it computes what a GPU computes. */

import assert from "node:assert/strict";
import test from "node:test";
import { skip as noPackage, without } from "./lib-host.mjs";
import { trainPage } from "./lib-train-page.mjs";
import { losing } from "./losing-worker.mjs";
import { SOFTWARE_GPU } from "./site.mjs";

const LIMIT = { skip: noPackage || without("train-webgpu"), timeout: 900_000 };

const LOSING = losing("train-worker.js", "step");

test("a lost GPU: training goes on from the last checkpoint in a new worker", LIMIT, async (t) => {
  const { page } = await trainPage(t, { args: SOFTWARE_GPU, files: LOSING });
  const found = await page.evaluate(async () => {
    const plan = [3, 1];
    const workers = [];
    const restored = [];
    const trainer = await biggan.tiny({
      backend: "webgpu",
      worker: () => {
        workers.push(plan[workers.length] ?? 0);
        return new Worker(`/losing.js?at=${workers.at(-1)}`, { type: "module" });
      },
      onProgress: (event) => event.phase === "restored" && restored.push(event),
    });
    const onGpu = trainer.state.running.backend;
    const [first] = await trainer.step(1);
    const checkpoint = await trainer.save();
    await trainer.step(1);
    // the third step loses the device, and so does the first of the worker after: the CPU goes on
    const [third] = await trainer.step(1);
    const cpu = await biggan.tiny({ checkpoint });
    const [expected] = await cpu.step(1);
    return { onGpu, first, third, expected, workers, restored, state: trainer.state };
  });
  assert.equal(found.onGpu, "webgpu");
  assert.equal(found.workers.length, 3);
  assert.deepEqual(found.restored.map(({ lostSteps }) => lostSteps), [1, 0]);
  const [once, twice] = found.restored.map(({ state }) => state.running.backend);
  assert.deepEqual([once, twice, found.state.running.reason], ["webgpu", "cpu", "lost"]);
  // the step that was taken is the one after the save, with the CPU's numbers
  assert.equal(found.third.gStep, 2);
  assert.equal(found.third.lossD, found.expected.lossD);
});

test("a training too large for the GPU's buffers goes to the CPU, or is refused", LIMIT, async (t) => {
  const { page } = await trainPage(t, { args: SOFTWARE_GPU });
  const found = await page.evaluate(async () => {
    const tiny = await biggan.tiny();
    const recipe = { ...tiny.state.recipe, width: 64, batchSize: 640 };
    const { limits } = await navigator.gpu.requestAdapter();
    // a GPU that guarantees the least
    Object.defineProperty(limits.constructor.prototype, "maxStorageBufferBindingSize", {
      get: () => 2 ** 27,
    });
    return biggan.failure(biggan.tiny({ backend: "webgpu", recipe }));
  });
  assert.equal(found.code, "too-large");
  assert.equal(found.numbers.available, 2 ** 27);
  assert.match(found.message, /largest tensor takes .* a buffer of the GPU holds 134\.2 MB/);
});
