/** Errors of the core in the package: from the wasm build through a worker to a code, without reading messages. */

import assert from "node:assert/strict";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";

const load = async (name) => {
  const path = fileURLToPath(new URL(`../src/lib/${name}.ts`, import.meta.url));
  return (await runnerImport(path)).module;
};
const { dataOf, errorOf, kindOf } = await load("base/errors");
const { faultOf } = await load("base/lasting-engine");
const { refused } = await load("train/errors");

/** As the wasm builds throw it. */
const thrown = (kind, more = {}) =>
  Object.assign(new Error("lr is -1, expected above 0"), { kind, thing: "lr", ...more });

test("an error that a worker sends keeps its kind and fields", () => {
  const sent = thrown("config", { found: "-1", expected: "above 0", own: () => {} });
  const { own, ...fields } = sent;
  const got = errorOf(structuredClone(dataOf(sent)));
  assert.ok(got instanceof Error);
  assert.deepEqual({ ...got }, fields);
  assert.equal(got.message, sent.message);
  assert.equal(kindOf(got), "config");
  for (const other of [new TypeError("no"), "text", null, undefined]) {
    assert.equal(kindOf(errorOf(structuredClone(dataOf(other)))), undefined);
  }
});

test("a device that does not answer and a trap are faults, whatever they say", () => {
  assert.equal(faultOf(thrown("device")).name, "FaultError");
  assert.equal(faultOf(new WebAssembly.RuntimeError("unreachable")).name, "FaultError");
  assert.equal(faultOf(new Error("device: a name that looks like one")), undefined);
  assert.equal(faultOf(thrown("not-finite")), undefined);
});

test("why a training does not begin is told by the kind", () => {
  const codeOf = (error, checkpoint = null) => refused(error, checkpoint).code;
  assert.equal(codeOf(thrown("config")), "bad-options");
  assert.equal(refused(thrown("config"), null).field, "recipe");
  assert.equal(codeOf(thrown("request")), "bad-data");
  assert.equal(codeOf(thrown("memory")), "too-large");
  for (const kind of ["file", "tensor", "not-finite"]) {
    assert.equal(codeOf(thrown(kind), new Blob()), "bad-checkpoint");
  }
  assert.equal(codeOf(new Error("config: not the core's")), "fault");
});

/** A worker whose trainer answers steps with these errors, one after another, and then with steps. */
const workers = (errors) => {
  let started = 0;
  const counters = { gStep: 0, dStep: 0, imagesSeen: 0, memoryBytes: 0 };
  const answers = {
    open: () => null,
    need: () => ({ parametersG: 1, parametersD: 1, weightBytes: 8, mapBytes: 8, largestTensorBytes: 8 }),
    start: () => counters,
    step: () => ({ ...counters, gStep: 1, elapsedMs: 1 }),
  };
  const start = () => {
    started++;
    const worker = new EventTarget();
    worker.terminate = () => {};
    worker.postMessage = ({ id, call }) => {
      const name = Object.keys(answers).find((name) => call.toLowerCase().endsWith(name));
      const error = name === "step" ? errors.shift() : undefined;
      const data = error ? { id, error: dataOf(error) } : { id, value: answers[name]() };
      queueMicrotask(() => worker.dispatchEvent(new MessageEvent("message", { data })));
    };
    return worker;
  };
  return { start, count: () => started };
};

test("only a value that is not finite is a diverged training: all else starts again", async () => {
  const { createTrainer } = await load("train/client");
  const { PRESETS } = await load("train/presets");
  const { start, count } = workers([thrown("not-finite"), new Error("no"), null, thrown("device")]);
  const labels = new Uint16Array(2);
  const pixels = new Uint8Array(2 * 16 * 16 * 3);
  const data = { name: "two", classNames: ["a"], resolution: 16, labels, pixels };
  const [{ recipe }] = PRESETS;
  const trainer = await createTrainer({ data, recipe, backend: "cpu", worker: start });
  await assert.rejects(trainer.step(1), ({ code, cause }) => {
    assert.deepEqual([code, cause.kind, cause.thing], ["diverged", "not-finite", "lr"]);
    return true;
  });
  assert.deepEqual([count(), trainer.state.running.restarts], [1, 0]);
  for (const restarts of [1, 2]) {
    assert.equal((await trainer.step(1)).length, 1);
    assert.deepEqual([count(), trainer.state.running.restarts], [1 + restarts, restarts]);
  }
  trainer.dispose();
});
