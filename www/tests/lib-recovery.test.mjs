/** Recovery from faults, the same for generators and trainers, with engines that compute nothing. */

import assert from "node:assert/strict";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";

const load = async (name) => {
  const path = fileURLToPath(new URL(`../src/lib/base/${name}.ts`, import.meta.url));
  return (await runnerImport(path)).module;
};
const { LastingEngine } = await load("lasting-engine");

const MINUTE = 60_000;

/**
 * A lasting engine whose engines break as planned. `plan` has one `{ opens, holds, answers }` for each engine that is
 * started: whether it opens, whether it takes the work, and how many calls it answers; the defaults never break.
 */
function lasting(plan, choice = { backend: "webgpu", reason: "hardware", sentence: "" }) {
  const told = [];
  const broken = () => Object.assign(new Error("broken"), { kind: "device" });
  const start = async (backend) => {
    const { opens = true, holds = true, answers = Infinity } = plan.shift() ?? {};
    told.push(opens ? backend : `no ${backend}`);
    if (!opens) throw new Error("not here");
    let left = answers;
    return {
      place: "worker",
      calls: {
        selfTest: async () => ({ agrees: true, max_difference: 0, range: [0, 1] }),
        hold: async () => {
          if (!holds) throw broken();
        },
        work: async () => {
          if (left-- <= 0) throw broken();
          return backend;
        },
        refuse: async () => {
          throw new Error("wrong");
        },
      },
      dispose() {},
    };
  };
  const begin = async () => {
    const engine = new LastingEngine(
      { engine: await start(choice.backend), choice },
      { start, placeReason: "own-worker" },
    );
    await engine.begin({
      place: (calls) => calls.hold(),
      onLost: () => told.push("lost"),
      onRestarted: () => told.push("restarted"),
    });
    return engine;
  };
  return { begin, told };
}

const work = (engine) => engine.ask((calls) => calls.work());
const CPU = { backend: "cpu", reason: "no-webgpu", sentence: "" };

test("a GPU that is lost once comes again, and after a second loss the CPU goes on", async () => {
  const { begin, told } = lasting([{ answers: 1 }, { answers: 1 }]);
  const engine = await begin();
  const found = [];
  for (let call = 0; call < 3; call++) found.push(await work(engine));
  assert.deepEqual(found, ["webgpu", "webgpu", "cpu"]);
  assert.deepEqual(told, ["webgpu", "lost", "webgpu", "restarted", "lost", "cpu", "restarted"]);
  const { backend, reason, sentence, restarts } = engine.running;
  assert.deepEqual([backend, reason, restarts], ["cpu", "lost", 2]);
  assert.equal(sentence, "WebGPU failed (broken)");
});

test("a GPU that worked for over ten minutes since its last loss is started again", async (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: 1e12 });
  const { begin } = lasting([{ answers: 1 }, { answers: 1 }, { answers: 1 }]);
  const engine = await begin();
  const found = [];
  for (const minutes of [0, 60, 11, 9]) {
    t.mock.timers.tick(minutes * MINUTE);
    found.push(await work(engine));
  }
  assert.deepEqual(found, ["webgpu", "webgpu", "webgpu", "cpu"]);
});

test("where the GPU does not come again, or not with the work, the CPU goes on at once", async () => {
  for (const second of [{ opens: false }, { holds: false }, { answers: 0 }]) {
    const { begin } = lasting([{ answers: 0 }, second]);
    assert.equal(await work(await begin()), "cpu");
  }
});

test("a request that breaks the CPU twice is a fault, and a later one starts another engine", async () => {
  const { begin, told } = lasting([{ answers: 0 }, { answers: 0 }], CPU);
  const engine = await begin();
  await assert.rejects(work(engine), { name: "BigGanError", code: "fault", message: /broken/ });
  assert.equal(await work(engine), "cpu");
  assert.deepEqual(told, ["cpu", "lost", "cpu", "restarted", "lost", "cpu", "restarted"]);
  assert.deepEqual([engine.running.reason, engine.running.restarts], ["no-webgpu", 2]);
});

test("a GPU that was chosen and fails with the work gives way; one that was asked for is a fault", async () => {
  const chosen = lasting([{ holds: false }]);
  const { running } = await chosen.begin();
  assert.deepEqual([running.backend, running.reason, running.restarts], ["cpu", "start-failed", 0]);
  const forced = { backend: "webgpu", reason: "forced", sentence: "" };
  await assert.rejects(lasting([{ holds: false }], forced).begin(), { code: "fault" });
  const nowhere = lasting([{ holds: false }, { opens: false }]);
  await assert.rejects(nowhere.begin(), { code: "fault" });
});

test("an error that is no fault goes to who asked, and the engine stays", async () => {
  const { begin, told } = lasting([]);
  const engine = await begin();
  await assert.rejects(
    engine.ask((calls) => calls.refuse()),
    { message: "wrong" },
  );
  assert.equal(await work(engine), "webgpu");
  assert.deepEqual(told, ["webgpu"]);
});

test("what is disposed of rejects with its reason, also while another engine starts", async () => {
  const { begin } = lasting([{ answers: 0 }]);
  const engine = await begin();
  const reason = new Error("gone");
  const waiting = assert.rejects(work(engine), reason);
  engine.dispose(reason);
  await waiting;
  await assert.rejects(work(engine), reason);
});
