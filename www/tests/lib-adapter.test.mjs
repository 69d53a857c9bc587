/** What the package makes of odd GPU adapters: it never fails or hangs because of one. */

import assert from "node:assert/strict";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";
import { host, load, openPage, skip, without } from "./lib-host.mjs";
import { loadTrainer } from "./lib-train-page.mjs";

const module = async (name) => {
  const path = fileURLToPath(new URL(`../src/lib/base/${name}.ts`, import.meta.url));
  return (await runnerImport(path)).module;
};
const { bufferLimits, probeAdapter } = await module("adapter");
const { openBackend } = await module("backend");

/** A hardware adapter with nothing wrong, but for the changes. */
const adapter = (changes = {}) => ({
  info: { vendor: "acme", architecture: "", device: "", description: "" },
  features: new Set(["timestamp-query"]),
  limits: {
    maxBufferSize: 2 ** 28,
    maxStorageBufferBindingSize: 2 ** 27,
    maxComputeInvocationsPerWorkgroup: 256,
    maxComputeWorkgroupStorageSize: 16384,
    maxStorageBuffersPerShaderStage: 8,
  },
  ...changes,
});
const offering = (found) => ({ requestAdapter: async () => found });
const fails = () => {
  throw new TypeError("not here");
};

const setGpu = (t, gpu) => {
  const before = Object.getOwnPropertyDescriptor(globalThis, "navigator");
  Object.defineProperty(globalThis, "navigator", { value: { gpu }, configurable: true });
  t.after(() => {
    if (before) Object.defineProperty(globalThis, "navigator", before);
    else delete globalThis.navigator;
  });
};

for (const [name, gpu, reason, says] of [
  ["hardware", offering(adapter()), undefined],
  ["no WebGPU", undefined, "no-webgpu", /no WebGPU/],
  ["a property without a value", null, "no-webgpu", /no WebGPU/],
  ["no adapter", offering(null), "no-adapter", /offers no GPU adapter/],
  ["an adapter without info", offering(adapter({ info: undefined })), "missing-feature", /no description/],
  ["a software adapter", offering(adapter({ info: { description: "llvmpipe" } })), "fallback-adapter", /software/],
  ["an adapter without features", offering(adapter({ features: undefined })), "no-adapter", /does not describe itself/],
  ["an adapter without timestamps", offering(adapter({ features: new Set() })), "missing-feature", /timestamp/],
  ["an adapter that states no limit", offering(adapter({ limits: {} })), "low-limits", /not stated/],
  ["a request that is refused", { requestAdapter: async () => fails() }, "no-adapter", /failed \(not here\)/],
  ["a request that throws", { requestAdapter: fails }, "no-adapter", /failed \(not here\)/],
  ["another interface", {}, "no-adapter", /request for a GPU adapter failed/],
]) {
  test(`${name}: ${reason ?? "is taken"}`, async (t) => {
    setGpu(t, gpu);
    const refusal = await probeAdapter();
    assert.equal(refusal?.reason, reason);
    if (says) assert.match(refusal.sentence, says);
    const limits = await bufferLimits();
    assert.equal(limits === null, ["no-webgpu", "no-adapter"].includes(reason) && !/describe/.test(says));
  });
}

test("a request that is never answered is given up after ten seconds", async (t) => {
  setGpu(t, { requestAdapter: () => new Promise(() => {}) });
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const probing = probeAdapter();
  const asking = openBackend("webgpu", async () => assert.fail("nothing is started"));
  const refused = assert.rejects(asking, /no answer in 10 s/);
  await Promise.resolve();
  t.mock.timers.tick(10_000);
  assert.equal((await probing).reason, "no-adapter");
  await refused;
});

const BROWSER = { skip: skip || without("train-cpu"), timeout: 120_000 };
for (const [name, script] of [
  ["describe themselves not", "Object.defineProperty(GPUAdapter.prototype, 'info', { get() {} })"],
  ["are not there", "Object.defineProperty(Navigator.prototype, 'gpu', { get() {} })"],
  ["never come", "GPU.prototype.requestAdapter = () => new Promise(() => {})"],
]) {
  test(`where GPU adapters ${name} the CPU samples and trains`, BROWSER, async (t) => {
    const server = await host(t);
    const { page } = await openPage(t, { args: ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"] });
    await page.addInitScript(script);
    await load(page, server.origin);
    const sampled = await page.evaluate(async () => (await biggan.make({ backend: "auto" })).info.running);
    await loadTrainer(page, server.origin);
    const trained = await page.evaluate(async () => {
      const trainer = await biggan.tiny({ backend: "auto" });
      await trainer.step(1);
      return trainer.state.running;
    });
    assert.deepEqual([sampled.backend, trained.backend], ["cpu", "cpu"]);
    assert.equal(sampled.sentence, trained.sentence);
    // the script is the page's: the adapter of a worker describes itself
    if (name === "describe themselves not") return;
    const forced = await page.evaluate(() => biggan.failure(biggan.tiny({ backend: "webgpu" })));
    assert.equal(forced.code, "unsupported");
    assert.match(forced.message, /use the backend "auto" or "cpu"/);
  });
}
