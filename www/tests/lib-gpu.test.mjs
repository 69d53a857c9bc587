/** The package on WebGPU, by Chromium's software adapter: slow, but it computes what a GPU computes. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { libraryPage, MODEL, skip as noPackage, without } from "./lib-host.mjs";
import { shards } from "./lib-shards.mjs";
import { losing } from "./losing-worker.mjs";
import { SOFTWARE_GPU } from "./site.mjs";

const skip = noPackage || without("sample-webgpu");
const LIMIT = { skip, timeout: 600_000 };
/** Of 255, between the two backends. */
const TOLERANCE = 2;

/** Lets the page take the software adapter for hardware. */
const PRETEND_HARDWARE = `
const info = { vendor: "acme", architecture: "", device: "", description: "", isFallbackAdapter: false };
Object.defineProperty(GPUAdapter.prototype, "info", { get: () => info });
Object.defineProperty(GPUAdapter.prototype, "isFallbackAdapter", { get: () => false });`;

const LOSING = losing("worker.js", "draw");

const farthest = (a, b) =>
  Math.max(...a.flatMap((image, place) => image.map((byte, at) => Math.abs(byte - b[place][at]))));

const REQUEST = { class: "Dress", seed: 7, truncation: 0.5, count: 2 };

test(
  "a GPU that counts as hardware passes the self-test and draws as the CPU does",
  LIMIT,
  async (t) => {
    const { page, errors, log } = await libraryPage(t, { args: SOFTWARE_GPU });
    await page.evaluate(PRETEND_HARDWARE);
    const found = await page.evaluate(async (request) => {
      const cpu = await biggan.make();
      const gpu = await biggan.make({ backend: "auto" });
      const pixels = [];
      for (const generator of [cpu, gpu])
        pixels.push(biggan.bytes(await generator.sample(request)));
      return { pixels, running: gpu.info.running };
    }, REQUEST);
    const { backend, reason, place } = found.running;
    assert.deepEqual([backend, reason, place], ["webgpu", "hardware", "worker"]);
    const apart = farthest(...found.pixels);
    t.diagnostic(`channels differ by at most ${apart} of 255`);
    assert.ok(apart <= TOLERANCE);
    assert.deepEqual(
      log.filter(({ path }) => path.includes("train")),
      [],
    );
    assert.deepEqual(errors, []);
  },
);

test(
  "a software GPU is left alone, with the reason, and its build does not come",
  LIMIT,
  async (t) => {
    const { page, log } = await libraryPage(t, { args: SOFTWARE_GPU });
    const running = await page.evaluate(
      async () => (await biggan.make({ backend: "auto" })).info.running,
    );
    assert.deepEqual([running.backend, running.reason], ["cpu", "fallback-adapter"]);
    assert.deepEqual(
      log.filter(({ path }) => path.includes("webgpu")),
      [],
    );
  },
);

test(
  "a lost device: a new worker with the GPU, and after a second loss the CPU",
  LIMIT,
  async (t) => {
    const { page } = await libraryPage(t, { args: SOFTWARE_GPU, files: LOSING });
    const found = await page.evaluate(async (request) => {
      const expected = biggan.bytes(await (await biggan.make()).sample(request));
      const heard = [];
      // the draw at which each worker loses its device
      const plan = [2, 1];
      let workers = 0;
      const generator = await biggan.make({
        backend: "webgpu",
        worker: () => new Worker(`/losing.js?at=${plan[workers++] ?? 0}`, { type: "module" }),
        onRunning: ({ backend, reason, restarts }) => heard.push([backend, reason, restarts]),
      });
      const pixels = [];
      pixels.push(biggan.bytes(await generator.sample({ ...request, count: 1 })));
      pixels.push(biggan.bytes(await generator.sample(request)));
      return { expected, pixels, heard, workers, running: generator.info.running };
    }, REQUEST);
    assert.deepEqual(found.heard, [
      ["webgpu", "forced", 1],
      ["cpu", "lost", 2],
    ]);
    assert.equal(found.workers, 3);
    assert.deepEqual([found.running.backend, found.running.restarts], ["cpu", 2]);
    assert.match(found.running.sentence, /^WebGPU failed \(/);
    t.diagnostic(found.running.sentence);
    assert.deepEqual(
      found.pixels[1],
      found.expected,
      "the request that was hit twice was drawn by the CPU",
    );
    assert.ok(farthest(found.pixels[0], found.expected.slice(0, 1)) <= TOLERANCE);
  },
);

test("on the main thread a generator may be disposed of while it draws", LIMIT, async (t) => {
  const { page, errors } = await libraryPage(t, { args: SOFTWARE_GPU });
  const found = await page.evaluate(async () => {
    const make = () => biggan.make({ backend: "webgpu", worker: "main" });
    const [stays, goes, unused] = [await make(), await make(), await make()];
    const codes = [];
    const drawn = stays.sample({ class: 0, count: 2 });
    for (const [generator, ms] of [[goes, 0], [unused, 20], [await make(), 200]]) {
      const failure = biggan.failure(generator.sample({ class: 1, count: 8 }));
      await new Promise((resolve) => setTimeout(resolve, ms));
      generator.dispose();
      codes.push((await failure).code);
    }
    const { samples } = await drawn;
    const { place, backend } = stays.info.running;
    // after what is under way
    const last = (await stays.sample({ class: 0 })).samples.length;
    stays.dispose();
    await new Promise((resolve) => setTimeout(resolve, 500));
    return { codes, count: samples.length, last, place, backend };
  });
  const disposed = ["disposed", "disposed", "disposed"];
  assert.deepEqual(found, { codes: disposed, count: 2, last: 1, place: "main", backend: "webgpu" });
  assert.deepEqual(errors, []);
});

test("a tensor that no buffer of the GPU holds: refused, or the CPU", LIMIT, async (t) => {
  const parts = Object.entries(shards(readFileSync(MODEL), "parts", 3));
  const files = Object.fromEntries(parts.map(([name, bytes]) => [`/${name}`, () => bytes]));
  const { page, log } = await libraryPage(t, { args: SOFTWARE_GPU, files });
  await page.evaluate(PRETEND_HARDWARE);
  const found = await page.evaluate(async () => {
    // of the page only: the worker's adapter stays as it is
    const { limits } = await navigator.gpu.requestAdapter();
    const small = new Proxy(limits, {
      get: (target, name) => (name === "maxBufferSize" ? 10_000 : target[name]),
    });
    Object.defineProperty(GPUAdapter.prototype, "limits", { get: () => small });
    const forced = await biggan.failure(biggan.make({ backend: "webgpu" }));
    const index = "/parts.safetensors.index.json";
    const inParts = await biggan.failure(biggan.make({ backend: "webgpu", model: index }));
    const { running } = (await biggan.make({ backend: "auto" })).info;
    return { forced, inParts, running };
  });
  assert.equal(found.forced.code, "too-large");
  assert.equal(found.forced.numbers.available, 10_000);
  assert.match(
    found.forced.message,
    /tensor [\w.]+ takes [\d.]+ KB .* maxBufferSize is 10\.0 KB; use the CPU/,
  );
  assert.equal(found.inParts.code, "too-large");
  const asked = log.filter(({ path }) => /^\/parts-.*safetensors$/.test(path));
  assert.deepEqual(
    asked.map(({ range }) => range),
    ["bytes=0-262143", "bytes=0-262143", "bytes=0-262143"],
    "of parts the headers alone",
  );
  assert.deepEqual([found.running.backend, found.running.reason], ["cpu", "low-limits"]);
  assert.match(found.running.sentence, /maxBufferSize/);
});
