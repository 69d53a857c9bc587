/** A trainer as a page has it: steps, checkpoints, faults, refusals. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { host, LIB, openPage, skip as noPackage, STRICT, without } from "./lib-host.mjs";
import { loadTrainer, trainPage } from "./lib-train-page.mjs";

const LIMIT = { skip: noPackage || without("train-cpu"), timeout: 240_000 };

test("steps of both, of D and of G are those of one training", LIMIT, async (t) => {
  const { page, errors, log } = await trainPage(t);
  const found = await page.evaluate(async () => {
    const progress = [];
    const whole = await biggan.tiny({ onProgress: (event) => progress.push(event) });
    const parts = await biggan.tiny();
    const both = await whole.step(2);
    const single = [];
    for (const which of ["d", "g", "d", "g"]) single.push(...(await parts.step(1, which)));
    const same = await biggan.sameBytes(await whole.save(), await parts.save());
    return { progress, both, single, same, state: parts.state };
  });
  assert.equal(found.same, true, "the checkpoints differ");
  const [, second] = found.both;
  assert.deepEqual([second.gStep, second.dStep, second.imagesSeen], [2, 2, 16]);
  const [d, g] = found.single;
  assert.deepEqual([d.lossG, g.lossD, g.dReal], [undefined, undefined, undefined]);
  assert.deepEqual([d.lossD, g.lossG], [found.both[0].lossD, found.both[0].lossG]);
  for (const name of ["lossD", "lossG", "dReal", "dFake"]) assert.ok(Number.isFinite(second[name]));
  const phases = found.progress.map(({ phase }) => phase);
  assert.deepEqual(phases, ["program", "prepare", "ready", "step", "step"]);
  const { phase, running, parametersG, parametersD, memoryBytes } = found.state;
  assert.deepEqual(
    [phase, running.backend, running.reason, running.place],
    ["ready", "cpu", "forced", "worker"],
  );
  assert.ok(parametersG > 1000 && parametersD > 1000 && memoryBytes > 1e6);
  assert.deepEqual(errors, []);
  // the sampling builds have no part in it, nor has the GPU's
  const builds = log.filter(({ path }) => path.endsWith(".wasm")).map(({ path }) => path);
  assert.deepEqual([...new Set(builds)], ["/lib/wasm/train-cpu/biggan_web_bg.wasm"]);
});

test("looks and checkpoints come between two steps, and pause ends them", LIMIT, async (t) => {
  const { page } = await trainPage(t);
  const found = await page.evaluate(async () => {
    let steps = 0;
    const trainer = await biggan.tiny({ onProgress: ({ phase }) => (steps += phase === "step") });
    const running = trainer.step(100_000);
    while (steps < 3) await new Promise((resolve) => setTimeout(resolve, 5));
    const look = await trainer.look({ perClass: 3, scored: 5 });
    const seen = { ...look, phase: trainer.state.phase };
    for (const part of ["grid", "real", "fake"]) {
      seen[part] = look[part].map(({ image, ...rest }) => ({
        ...rest,
        side: [image.width, image.height],
        opaque: image.data.every((byte, i) => i % 4 !== 3 || byte === 255),
      }));
    }
    const saved = await trainer.save();
    const more = steps;
    while (steps < more + 3) await new Promise((resolve) => setTimeout(resolve, 5));
    await trainer.pause();
    const reports = await running;
    return { seen, saved: saved.size, reports: reports.length, steps, after: trainer.state };
  });
  const { seen } = found;
  assert.equal(seen.phase, "training");
  assert.deepEqual(seen.grid.map((one) => one.class), [0, 0, 0, 1, 1, 1]);
  assert.equal(seen.real.length, 5);
  assert.equal(seen.fake.length, 5);
  for (const one of [...seen.grid, ...seen.real, ...seen.fake]) {
    assert.deepEqual([one.side, one.opaque], [[16, 16], true]);
  }
  assert.ok([...seen.real, ...seen.fake].every(({ score }) => Number.isFinite(score)));
  const networks = new Set(seen.sigmas.map(({ network }) => network));
  assert.deepEqual(networks, new Set(["g", "d"]));
  assert.ok(seen.sigmas.every(({ sigma }) => sigma > 0));
  assert.ok(found.saved > 10_000);
  assert.equal(found.reports, found.steps);
  assert.equal(found.after.phase, "ready");
  assert.equal(found.after.gStep, found.steps);
});

test("a loaded checkpoint goes on as if nothing had happened", LIMIT, async (t) => {
  const { page } = await trainPage(t);
  const found = await page.evaluate(async () => {
    const straight = await biggan.tiny();
    await straight.step(2);
    const saved = await straight.save();
    await straight.step(2);
    const end = await straight.save();
    const loaded = await biggan.tiny();
    await loaded.step(1);
    await loaded.load(saved);
    const begun = await biggan.tiny({ checkpoint: saved });
    const ends = [];
    for (const trainer of [loaded, begun]) {
      await trainer.step(2);
      ends.push(await biggan.sameBytes(await trainer.save(), end));
    }
    return ends;
  });
  assert.deepEqual(found, [true, true]);
});

test("a recipe is amended in the middle of a run, and one of other networks is refused", LIMIT, async (t) => {
  const { page } = await trainPage(t);
  const found = await page.evaluate(async () => {
    const trainer = await biggan.tiny();
    const { recipe } = trainer.state;
    await trainer.step(2);
    const saved = await trainer.save();
    await trainer.amend(recipe);
    const same = await biggan.sameBytes(await trainer.save(), saved);
    const other = { ...recipe, rateG: 2e-4, rateD: 3e-4, dSteps: 2, orthogonal: 0, augment: ["flip"], batchSize: 6 };
    // while steps are under way
    const steps = trainer.step(3);
    await trainer.amend(other);
    await trainer.pause();
    await steps;
    const before = trainer.state;
    const [report] = await trainer.step(1);
    const amended = await trainer.save();
    const failures = [];
    for (const wrong of [{ width: 3 }, { seed: 9 }, { rateG: -1 }]) {
      failures.push(await biggan.failure(trainer.amend({ ...other, ...wrong })));
    }
    const stays = await biggan.sameBytes(await trainer.save(), amended);
    // the checkpoint has the recipe
    const again = await biggan.tiny({ recipe: other, checkpoint: amended });
    const [a, b] = [await trainer.step(1), await again.step(1)];
    return { same, stays, failures, before, report, recipe: trainer.state.recipe, ends: [a[0].lossD, b[0].lossD] };
  });
  assert.equal(found.same, true);
  assert.equal(found.stays, true);
  const { before, report } = found;
  assert.equal(report.gStep - before.gStep, 1);
  assert.equal(report.dStep - before.dStep, 2);
  assert.equal(report.imagesSeen - before.imagesSeen, 12);
  assert.deepEqual([found.recipe.dSteps, found.recipe.augment], [2, ["flip"]]);
  assert.equal(found.ends[0], found.ends[1]);
  const [networks, seed, rate] = found.failures;
  assert.deepEqual([networks.code, seed.code, rate.code], ["bad-checkpoint", "bad-checkpoint", "bad-options"]);
  assert.match(networks.message, /other networks/);
});

test("checkpoints of others are refused with a reason, and the training stays", LIMIT, async (t) => {
  const { page } = await trainPage(t);
  const found = await page.evaluate(async () => {
    const trainer = await biggan.tiny();
    await trainer.step(1);
    const saved = await trainer.save();
    const bytes = new Uint8Array(await saved.arrayBuffer());
    const text = new TextDecoder("latin1").decode(bytes.slice(0, 8192));
    const newer = bytes.slice();
    newer["format_version".length + 4 + text.indexOf('"format_version":"')] = "2".charCodeAt(0);
    const { data: otherData } = await biggan.readShipped({ resolution: 16, classes: [1, 8] });
    const others = {
      version: new Blob([newer]),
      cut: saved.slice(0, saved.size - 1),
      model: await trainer.exportModel(),
      images: await (await biggan.tiny({ data: otherData })).save(),
      networks: await (
        await biggan.tiny({ recipe: { ...trainer.state.recipe, width: 3 } })
      ).save(),
    };
    const failures = {};
    for (const [name, blob] of Object.entries(others)) {
      failures[name] = await biggan.failure(trainer.load(blob));
    }
    failures.start = await biggan.failure(biggan.tiny({ checkpoint: others.version }));
    const stays = await biggan.sameBytes(await trainer.save(), saved);
    return { failures, stays, step: (await trainer.step(1))[0].gStep };
  });
  const says = (name, text) => {
    const { code, message } = found.failures[name];
    assert.equal(code, "bad-checkpoint", name);
    assert.match(message, text);
  };
  says("version", /checkpoint's format_version is 2, expected 1/);
  says("start", /checkpoint's format_version is 2, expected 1/);
  says("cut", /not a whole safetensors file/);
  says("model", /checkpoint's format is biggan, expected/);
  says("images", /of other images/);
  says("networks", /of other networks/);
  assert.equal(found.stays, true);
  assert.equal(found.step, 2);
});

test("what cannot be trained is refused before anything is built", LIMIT, async (t) => {
  const { page } = await trainPage(t);
  const found = await page.evaluate(async () => {
    const { recipe } = biggan.PRESETS[0];
    const data = (await biggan.readShipped({ resolution: 16, classes: [1] })).data;
    const attempt = (changes, other = {}) =>
      biggan.failure(
        biggan.createTrainer({
          data,
          recipe: { ...recipe, ...changes },
          backend: "cpu",
          ...other,
        }),
      );
    return {
      large: await attempt({ width: 512, batchSize: 1024 }),
      z: await attempt({ zDim: 61 }),
      rate: await attempt({ rateG: -1 }),
      unknown: await attempt({ augment: ["blur"] }),
      backend: await attempt({}, { backend: "cuda" }),
      empty: await attempt({}, { data: { ...data, labels: new Uint16Array(0) } }),
      label: await attempt({}, { data: { ...data, labels: data.labels.map(() => 1) } }),
      one: await attempt({}),
    };
  });
  const { needed, available } = found.large.numbers;
  assert.equal(found.large.code, "too-large");
  assert.ok(needed > available && available === 2 ** 31, `${needed}, ${available}`);
  assert.match(found.large.message, /million parameters in G .* MB of feature maps.*smaller width/);
  const refused = (name, code, field, text) => {
    assert.deepEqual([found[name].code, found[name].field], [code, field], name);
    assert.match(found[name].message, text);
  };
  refused("z", "bad-options", "recipe", /z_dim is 61, .* use 60 or 63/);
  refused("rate", "bad-options", "recipe", /lr is -1, expected above 0/);
  refused("unknown", "bad-options", "recipe", /blur/);
  refused("backend", "bad-options", "backend", /cuda/);
  refused("empty", "bad-data", "data.labels.length", /is 0; give at least one image/);
  refused("label", "bad-data", "data.labels", /is 1; give classes from 0 to 0/);
  assert.equal(found.one, "no error");
});

test("a training that diverges says so and is back at its last checkpoint", LIMIT, async (t) => {
  const { page } = await trainPage(t);
  const found = await page.evaluate(async () => {
    const tiny = await biggan.tiny();
    // gradients beyond 32-bit floats
    const recipe = { ...tiny.state.recipe, orthogonal: 1e38 };
    const trainer = await biggan.tiny({ recipe });
    await trainer.save();
    const failure = await biggan.failure(trainer.step(10));
    return { failure, state: trainer.state, next: await biggan.failure(trainer.step(1)) };
  });
  assert.equal(found.failure.code, "diverged");
  assert.match(found.failure.message, /back at step 0 of G, from step 1/);
  assert.equal(found.state.phase, "ready");
  assert.equal(found.next, "no error");
});

/** A worker that breaks, as a crash or a lost GPU does, when its page asks for the step of a number. */
const BREAKING = {
  "/breaking.js": 'import "/break.js"; import "/lib/train-worker.js";',
  "/break.js": `
let steps = 0;
const at = Number(new URLSearchParams(location.search).get("at"));
addEventListener("message", ({ data }) => {
  if (data.call === "step" && ++steps === at) throw new Error("broken on purpose");
});`,
};

test("after a crash training goes on from the last checkpoint in a new worker", LIMIT, async (t) => {
  const { page } = await trainPage(t, { files: BREAKING });
  const found = await page.evaluate(async () => {
    const run = async (plan) => {
      let workers = 0;
      const restored = [];
      const trainer = await biggan.tiny({
        worker: () => new Worker(`/breaking.js?at=${plan[workers++] ?? 0}`, { type: "module" }),
        onProgress: (event) => event.phase === "restored" && restored.push(event),
      });
      await trainer.step(2);
      await trainer.save();
      const outcome = await biggan.failure(trainer.step(4));
      return { trainer, workers, restored, outcome };
    };
    const straight = await biggan.tiny();
    // breaks at the fifth step: two steps since the save are lost, and taken again
    const once = await run([5]);
    await straight.step(2 + 4 - 2);
    const same = await biggan.sameBytes(await straight.save(), await once.trainer.save());
    const always = await run([3, 1, 1, 1, 1, 1, 1]);
    return {
      same,
      once: { ...once, trainer: undefined, state: once.trainer.state },
      always: { ...always, trainer: undefined },
    };
  });
  const { once, always } = found;
  assert.deepEqual([once.outcome, once.workers, once.restored.length], ["no error", 2, 1]);
  assert.equal(once.restored[0].lostSteps, 2);
  assert.equal(once.state.running.restarts, 1);
  assert.equal(found.same, true);
  assert.equal(always.outcome.code, "fault");
});

test("an aborted or disposed trainer ends its worker and says so", LIMIT, async (t) => {
  const { page } = await trainPage(t);
  const found = await page.evaluate(async () => {
    const aborted = AbortSignal.abort(new DOMException("not any more", "AbortError"));
    const trainer = await biggan.tiny();
    const running = biggan.failure(trainer.step(1000));
    trainer.dispose();
    return {
      aborted: await biggan.failure(biggan.tiny({ signal: aborted })),
      running: await running,
      later: await biggan.failure(trainer.step(1)),
      phase: trainer.state.phase,
    };
  });
  assert.equal(found.aborted.name, "AbortError");
  assert.deepEqual([found.running.code, found.later.code], ["disposed", "disposed"]);
  assert.equal(found.phase, "disposed");
});

test("on the main thread the steps are the same, and the page has its turn between them", LIMIT, async (t) => {
  const { page } = await trainPage(t);
  const found = await page.evaluate(async () => {
    // both use the one instance that the page has
    const also = await biggan.tiny({ worker: "main" });
    let turnAt;
    const here = await biggan.tiny({
      worker: "main",
      onProgress: ({ phase }) => phase === "step" && setTimeout(() => (turnAt ??= here.state.gStep)),
    });
    const there = await biggan.tiny();
    await here.step(3);
    await also.step(1);
    also.dispose();
    await there.step(3);
    const { place, placeReason } = here.state.running;
    const same = await biggan.sameBytes(await here.save(), await there.save());
    return { same, turnAt, place, placeReason };
  });
  assert.deepEqual(found, { same: true, turnAt: 1, place: "main", placeReason: "asked" });
});

test("what onProgress throws is what the call rejects with", LIMIT, async (t) => {
  const { page, errors } = await trainPage(t);
  const reasons = await page.evaluate(async () => {
    const reasons = [];
    for (const wrong of ["program", "prepare", "ready"]) {
      const mine = new Error(`mine: ${wrong}`);
      const onProgress = ({ phase }) => {
        if (phase === wrong) throw mine;
      };
      reasons.push(await biggan.tiny({ onProgress }).then(() => "made", (error) => error === mine));
    }
    return reasons;
  });
  assert.deepEqual(reasons, [true, true, true]);
  assert.deepEqual(errors, []);
});

test("a page of another origin trains in a worker: one that imports the package's, or its own", LIMIT, async (t) => {
  const packages = await host(t, { headers: { "Access-Control-Allow-Origin": "*" } });
  const site = await host(t, {
    files: { "/own-worker.js": `import "${packages.origin}/lib/train-worker.js";` },
  });
  const { page, errors } = await openPage(t);
  await loadTrainer(page, site.origin, packages.origin);
  const found = await page.evaluate(async () => {
    const own = () => new Worker("/own-worker.js", { type: "module" });
    const trainers = [await biggan.tiny(), await biggan.tiny({ worker: own })];
    for (const trainer of trainers) await trainer.step(2);
    const places = trainers.map(({ state }) => [state.running.place, state.running.placeReason]);
    const [first, second] = await Promise.all(trainers.map((trainer) => trainer.save()));
    return { places, same: await biggan.sameBytes(first, second) };
  });
  assert.deepEqual(found.places, [
    ["worker", "own-worker"],
    ["worker", "asked"],
  ]);
  assert.equal(found.same, true);
  assert.deepEqual(errors, []);
});

const missing = (_, response) => void response.writeHead(404).end();
for (const [name, options] of [
  ["is missing", { files: { "/lib/train-worker.js": missing } }],
  ["is forbidden", { policy: STRICT.replace("worker-src 'self'", "worker-src 'none'") }],
]) {
  test(`where the worker ${name} training and decoding go on on the main thread`, LIMIT, async (t) => {
    const { page } = await trainPage(t, options);
    const found = await page.evaluate(async () => {
      const canvas = new OffscreenCanvas(20, 20);
      canvas.getContext("2d").fillRect(0, 0, 20, 20);
      const files = [{ path: "a/x.png", file: await canvas.convertToBlob() }];
      const { data } = await biggan.readImages({ files, resolution: 16 });
      const trainer = await biggan.tiny();
      const [{ gStep }] = await trainer.step(1);
      const { place, placeReason } = trainer.state.running;
      const own = () => new Worker("/nowhere.js", { type: "module" });
      const failure = await biggan.failure(biggan.tiny({ worker: own }));
      return { images: data.labels.length, gStep, place, placeReason, failure };
    });
    const { failure, ...rest } = found;
    assert.deepEqual(rest, { images: 1, gStep: 1, place: "main", placeReason: "no-worker" });
    // a worker that the page itself was to start is the page's to mend
    assert.deepEqual([failure.code, failure.field], ["unsupported", "worker"]);
    assert.match(failure.message, /train-worker\.js from the page's own origin/);
  });
}

/** A build that traps at its third step, as it does where it panics. */
const TRAPPING = {
  "/lib/wasm/train-cpu/real.js": () => readFileSync(`${LIB}wasm/train-cpu/biggan_web.js`),
  "/lib/wasm/train-cpu/biggan_web.js": `
export * from "./real.js";
export { default } from "./real.js";
import { Trainer } from "./real.js";
const { step } = Trainer.prototype;
let steps = 0;
Trainer.prototype.step = function (which) {
  if (++steps === 3) throw new WebAssembly.RuntimeError("unreachable");
  return step.call(this, which);
};`,
};

test("a trap of the wasm is a fault and no divergence, in a worker and on the main thread", LIMIT, async (t) => {
  const { page } = await trainPage(t, { files: TRAPPING });
  const found = await page.evaluate(async () => {
    const outcomes = {};
    for (const worker of ["auto", "main"]) {
      let restored = 0;
      const onProgress = ({ phase }) => (restored += phase === "restored");
      const trainer = await biggan.tiny({ worker, onProgress });
      // a new worker traps at its third step again
      const failure = await biggan.failure(trainer.step(2).then(() => trainer.save()).then(() => trainer.step(2)));
      outcomes[worker] = { code: failure.code, message: failure.message, restored, steps: trainer.state.gStep };
    }
    return outcomes;
  });
  assert.deepEqual(found.auto, { code: undefined, message: undefined, restored: 1, steps: 4 });
  const { message, ...main } = found.main;
  assert.deepEqual(main, { code: "fault", restored: 0, steps: 2 });
  assert.match(message, /unreachable/);
});
