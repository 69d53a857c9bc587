/** The generator of the package: pictures, ways, aborts, errors, places. */

import assert from "node:assert/strict";
import test from "node:test";
import { here, host, libraryPage, openPage, skip, STRICT } from "./lib-host.mjs";
import { assertSame } from "./pixels.mjs";

const LIMIT = { skip, timeout: 120_000 };

test("samples in a worker under a strict policy", LIMIT, async (t) => {
  const { page, errors, log } = await libraryPage(t);
  const found = await page.evaluate(async () => {
    const generator = await biggan.make();
    const { info } = generator;
    const seven = await generator.sample({ class: "Dress", seed: 7, truncation: 0.5, count: 4 });
    const byNumber = await generator.sample({ class: 3, seed: 7n, truncation: 0.5, count: 2 });
    const later = await generator.sample({
      class: 3,
      seed: 7,
      truncation: 0.5,
      first: 2,
      count: 2,
    });
    const other = await generator.sample({ class: 3, seed: 8, truncation: 0.5 });
    generator.dispose();
    return {
      info,
      size: [seven.samples[0].image.width, seven.samples[0].image.height],
      picture: seven.samples[1].picture,
      elapsedMs: seven.elapsedMs,
      pixels: [seven, byNumber, later, other].map(biggan.bytes),
      phases: [...new Set(biggan.progress.map(({ phase }) => phase))],
    };
  });
  const { info, pixels } = found;
  assert.equal(info.model.classNames[3], "Dress");
  assert.deepEqual(info.running, {
    backend: "cpu",
    reason: "forced",
    sentence: "it was asked for",
    place: "worker",
    placeReason: "own-worker",
    restarts: 0,
  });
  assert.match(info.modelId, /^[0-9a-f]{64}$/);
  assert.equal(info.modelBytes, 515_422);
  assert.ok(info.memoryBytes > 0);
  assert.deepEqual(found.size, [32, 32]);
  assert.deepEqual(found.picture, {
    from: { classes: [{ class: 3, weight: 1 }], z: { seed: 7, index: 1 } },
  });
  assert.ok(found.elapsedMs > 0);
  const [seven, byNumber, later, other] = pixels;
  assert.equal(seven.length, 4);
  assertSame(byNumber, seven.slice(0, 2));
  assertSame(later, seven.slice(2));
  assert.notDeepEqual(other[0], seven[0]);
  assert.ok(new Set(seven[0]).size > 20, "a picture has many shades");
  assert.deepEqual(found.phases.sort(), ["download", "prepare", "program", "ready", "verify"]);
  const wasm = log.map(({ path }) => path).filter((path) => path.endsWith(".wasm"));
  assert.deepEqual(wasm, ["/lib/wasm/sample-cpu-relaxed/biggan_web_bg.wasm"]);
  assert.deepEqual(errors, []);
});

test("the main thread draws the same pictures, in slices", LIMIT, async (t) => {
  const { page, errors } = await libraryPage(t);
  const found = await page.evaluate(async () => {
    const request = { class: 9, seed: 3, count: 40 };
    const [worker, main] = await Promise.all([biggan.make(), biggan.make({ worker: "main" })]);
    const second = await biggan.make({ worker: "main" });
    const expected = biggan.bytes(await worker.sample(request));
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 1);
    const drawn = biggan.bytes(await main.sample(request));
    clearInterval(timer);
    const again = biggan.bytes(await second.sample({ ...request, count: 2 }));
    const { running } = main.info;
    for (const generator of [worker, main, second]) generator.dispose();
    return {
      expected,
      drawn,
      turns,
      running,
      again,
      first: drawn.slice(0, 2),
    };
  });
  assertSame(found.drawn, found.expected);
  assertSame(found.again, found.first);
  assert.ok(found.turns > 0, "the page had its turn in between");
  assert.deepEqual([found.running.place, found.running.placeReason], ["main", "asked"]);
  assert.deepEqual(errors, []);
});

/** Pictures of the build for the CPU that a page takes, and the build's name. */
async function drawnByABuild(t, { files, validate = true } = {}) {
  const { page, errors, log } = await libraryPage(t, { files });
  const drawn = await page.evaluate(async (validate) => {
    if (!validate) WebAssembly.validate = () => false;
    const generator = await biggan.make({ worker: "main" });
    return biggan.bytes(await generator.sample({ class: 3, seed: 7, count: 4 }));
  }, validate);
  const builds = log.map(({ path }) => /wasm\/([\w-]+)\/.*\.wasm$/.exec(path)?.[1]);
  return { drawn, errors, builds: builds.filter(Boolean) };
}

test("without relaxed SIMD, or a build with it, the plain one draws the same", LIMIT, async (t) => {
  const relaxed = await drawnByABuild(t);
  const refused = await drawnByABuild(t, { validate: false });
  const missing = (_, response) => void response.writeHead(404).end();
  const files = { "/lib/wasm/sample-cpu-relaxed/biggan_web.js": missing };
  const left = await drawnByABuild(t, { files });
  assert.deepEqual(relaxed.builds, ["sample-cpu-relaxed"]);
  assert.deepEqual(refused.builds, ["sample-cpu"]);
  assert.deepEqual(left.builds, ["sample-cpu"]);
  assertSame(refused.drawn, relaxed.drawn);
  assertSame(left.drawn, refused.drawn);
  assert.deepEqual(refused.errors, []);
});

/** Where a page computes whose package is of another origin, and its first picture; a policy is that of the page. */
async function elsewhere(t, policy) {
  const packages = await host(t, { headers: { "Access-Control-Allow-Origin": "*" } });
  const site = await host(t, {
    files: { "/own-worker.js": `import "${packages.origin}/lib/worker.js";` },
    headers: policy ? { "Content-Security-Policy": policy.replaceAll("PACKAGES", packages.origin) } : {},
  });
  const { page, errors } = await openPage(t);
  await page.goto(`${site.origin}/`);
  const found = await page.evaluate(async (origin) => {
    const { createGenerator } = await import(`${origin}/lib/index.js`);
    const model = `${origin}/models/fashion32.safetensors`;
    const all = [];
    for (const worker of ["auto", () => new Worker("/own-worker.js", { type: "module" })]) {
      const generator = await createGenerator({ model, worker, backend: "cpu" });
      const { samples } = await generator.sample({ class: 1, seed: 2 });
      const { place, placeReason } = generator.info.running;
      all.push({ place, placeReason, pixels: [...samples[0].image.data] });
      generator.dispose();
    }
    return all;
  }, packages.origin);
  const [auto, own] = found;
  assert.deepEqual([own.place, own.placeReason], ["worker", "asked"]);
  assertSame(auto.pixels, own.pixels);
  return { auto, errors };
}

/** What a page with a policy needs of another origin, but for what starts workers. */
const ELSEWHERE = "default-src 'none'; script-src 'self' PACKAGES 'wasm-unsafe-eval'; connect-src 'self' PACKAGES";

for (const [name, policy] of [
  ["without a policy", undefined],
  ["whose policy allows it", `${ELSEWHERE}; worker-src 'self' blob: PACKAGES`],
]) {
  test(`a page of another origin ${name} has a worker that imports the package's`, LIMIT, async (t) => {
    const { auto, errors } = await elsewhere(t, policy);
    assert.deepEqual([auto.place, auto.placeReason], ["worker", "own-worker"]);
    assert.deepEqual(errors, []);
  });
}

test("where the policy of such a page forbids that, the main thread goes on", LIMIT, async (t) => {
  const { auto } = await elsewhere(t, `${ELSEWHERE}; worker-src 'self' PACKAGES`);
  assert.deepEqual([auto.place, auto.placeReason], ["main", "other-origin"]);
});

const missing = (_, response) => void response.writeHead(404).end();
for (const [name, options] of [
  ["is missing", { files: { "/lib/worker.js": missing } }],
  ["is forbidden", { policy: STRICT.replace("worker-src 'self'", "worker-src 'none'") }],
]) {
  test(`where the worker ${name} the main thread goes on`, LIMIT, async (t) => {
    const { page } = await libraryPage(t, options);
    const running = await page.evaluate(async () => {
      const generator = await biggan.make();
      await generator.sample({ class: 0 });
      return generator.info.running;
    });
    assert.deepEqual([running.place, running.placeReason], ["main", "no-worker"]);
  });
}

test("a worker that the page was to start, and that does not, is the page's to mend", LIMIT, async (t) => {
  const { page } = await libraryPage(t);
  const failures = await page.evaluate(async () => {
    const all = [];
    const workers = [
      () => new Worker("/nowhere.js", { type: "module" }),
      () => null,
      () => {
        throw new Error("mine");
      },
    ];
    for (const worker of workers) all.push(await biggan.failure(biggan.make({ worker })));
    return all;
  });
  for (const { name, code, field } of failures) {
    assert.deepEqual([name, code, field], ["BigGanError", "unsupported", "worker"]);
  }
  const [missing, none, thrown] = failures.map(({ message }) => message);
  assert.match(missing, /did not start \(the worker could not be loaded\); serve worker\.js from the page's own origin/);
  assert.match(none, /the function gives no worker/);
  assert.match(thrown, /did not start \(mine\)/);
});

test("a page's own worker can use the library as a page does", LIMIT, async (t) => {
  const worker = `
import { createGenerator } from "/lib/index.js";
const generator = await createGenerator({ model: "/models/fashion32.safetensors", backend: "cpu" });
const { samples } = await generator.sample({ class: "Bag", count: 3 });
postMessage([samples.length, samples[0].image.width, generator.info.running.place]);`;
  const { page, errors } = await libraryPage(t, { files: { "/own.js": worker } });
  const found = await page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const worker = new Worker("/own.js", { type: "module" });
        worker.addEventListener("message", ({ data }) => resolve(data));
        worker.addEventListener("error", ({ message }) => reject(new Error(message)));
      }),
  );
  assert.deepEqual(found, [3, 32, "worker"]);
  assert.deepEqual(errors, []);
});

test("a child of two parents has of each what is asked for", LIMIT, async (t) => {
  const { page } = await libraryPage(t);
  const found = await page.evaluate(async () => {
    const generator = await biggan.make();
    const point = (place, z) => ({ classes: [{ class: place, weight: 1 }], z });
    const [parent, mate] = [point(3, { seed: 1 }), point(8, { seed: 2n ** 63n, steps: [{ seed: 4n, size: 0.2 }] })];
    const child = (classes, chunks) => {
      const steps = [{ mate, classes, chunks }];
      return { from: { ...parent, z: { ...parent.z, steps } } };
    };
    const pictures = [
      { from: parent },
      child(0, [0, 0, 0, 0]),
      { from: mate },
      child(1, [1, 1, 1, 1]),
      child(0, [1, 0, 1, 0]),
      child(0.5, [0, 1, 0.5]),
    ];
    const own = { mate: undefined, classes: 0, chunks: [] };
    own.mate = point(0, { seed: 1, steps: [own] });
    const endless = await biggan.failure(generator.draw({ pictures: [{ from: own.mate }] }));
    return { pixels: biggan.bytes(await generator.draw({ pictures, truncation: 1 })), endless };
  });
  const [parent, alike, mate, same, ...mixed] = found.pixels;
  assertSame(alike, parent);
  assertSame(same, mate);
  assert.equal(new Set([parent, mate, ...mixed].map((pixels) => pixels.join())).size, 4);
  assert.equal(found.endless.field, "pictures[0].from.z.steps.length");
});

test("ways, mixes and edits", LIMIT, async (t) => {
  const { page } = await libraryPage(t);
  const found = await page.evaluate(async () => {
    const generator = await biggan.make();
    const point = (place, seed) => ({ classes: [{ class: place, weight: 1 }], z: { seed } });
    const way = { from: point(0, 1), to: point(5, 2), count: 5, truncation: 1 };
    const all = [];
    for await (const sample of generator.interpolate(way)) all.push(sample);
    const ends = await generator.draw({
      pictures: [{ from: way.from }, { from: way.to }],
      truncation: 1,
    });
    const plain = { class: 3, seed: 1 };
    const edits = [
      plain,
      { ...plain, chunks: [0, 0, 0, 0] },
      { ...plain, chunks: [0, 0.7] },
      { ...plain, steps: [{ seed: 2n ** 63n, size: 0.1 }] },
      {
        ...plain,
        class: [
          { class: 3, weight: 1 },
          { class: 7, weight: 1 },
        ],
      },
    ];
    const edited = [];
    for (const request of edits) edited.push(biggan.bytes(await generator.sample(request))[0]);
    return {
      places: all.map(({ picture }) => picture.to?.at),
      way: biggan.bytes({ samples: all }),
      ends: biggan.bytes(ends),
      edited,
    };
  });
  assert.deepEqual(found.places, [0, 0.25, 0.5, 0.75, 1]);
  assertSame([found.way[0], found.way[4]], found.ends);
  const [plain, unturned, ...changed] = found.edited.map((pixels) => pixels.join());
  assert.equal(unturned, plain);
  assert.equal(new Set([plain, ...changed]).size, 4);
});

test("aborts reject with the signal's reason, and the next request goes on", LIMIT, async (t) => {
  const { page, errors } = await libraryPage(t);
  const found = await page.evaluate(async () => {
    const reasonOf = (promise) =>
      promise.then(
        () => "done",
        (reason) => String(reason?.message ?? reason),
      );
    const generator = await biggan.make();
    const running = new AbortController();
    const waiting = new AbortController();
    const long = reasonOf(generator.sample({ class: 0, count: 4096, signal: running.signal }));
    const queued = reasonOf(generator.sample({ class: 0, count: 4096, signal: waiting.signal }));
    const next = generator.sample({ class: 1, seed: 4 });
    waiting.abort("no longer wanted");
    const first = await queued;
    await new Promise((resolve) => setTimeout(resolve, 300));
    const start = performance.now();
    running.abort(new Error("stopped"));
    const second = await long;
    const rejectedAfterMs = performance.now() - start;
    const { samples } = await next;
    const nextAfterMs = performance.now() - start;
    const before = await reasonOf(
      generator.sample({ class: 0, signal: AbortSignal.abort("too late") }),
    );
    // of a generator in the making
    const early = new AbortController();
    const made = reasonOf(biggan.make({ signal: early.signal }));
    early.abort("changed my mind");
    // of a way
    const onWay = new AbortController();
    const point = (seed) => ({ classes: [{ class: 0, weight: 1 }], z: { seed } });
    let drawn = 0;
    const walk = async () => {
      const way = { from: point(1), to: point(2), count: 4000, signal: onWay.signal };
      for await (const _ of generator.interpolate(way))
        if (++drawn === 3) onWay.abort("far enough");
    };
    const walked = await reasonOf(walk());
    // the signal of a generator that is made says nothing any more
    const late = new AbortController();
    const other = await biggan.make({ signal: late.signal });
    late.abort();
    const after = (await other.sample({ class: 0 })).samples.length;
    return {
      first,
      second,
      rejectedAfterMs,
      nextAfterMs,
      count: samples.length,
      before,
      made: await made,
      walked,
      drawn,
      after,
    };
  });
  t.diagnostic(
    `rejected after ${found.rejectedAfterMs.toFixed(1)} ms, the next was ready after ${found.nextAfterMs.toFixed(0)} ms`,
  );
  assert.equal(found.first, "no longer wanted");
  assert.equal(found.second, "stopped");
  assert.ok(found.rejectedAfterMs < 200);
  assert.equal(found.count, 1);
  assert.equal(found.before, "too late");
  assert.equal(found.made, "changed my mind");
  assert.equal(found.walked, "far enough");
  assert.ok(found.drawn < 100);
  assert.equal(found.after, 1);
  assert.deepEqual(errors, []);
});

/** A step with a mate. */
const cross = (step, z = { seed: 1 }) => ({
  mate: { classes: [{ class: 0, weight: 1 }], z },
  classes: 0,
  chunks: [],
  ...step,
});

const BAD_REQUESTS = [
  [{ class: 10 }, "class", "class is 10; give a class from 0 to 9"],
  [{ class: -1 }, "class", /class is -1/],
  [{ class: 1.5 }, "class", /class is 1.5/],
  [
    { class: "Zebra" },
    "class",
    /class "Zebra" is unknown; the model has 0 T-shirt\/top; 1 Trouser/,
  ],
  [{ class: "Dress,Zebra" }, "class", /class "Zebra" is unknown/],
  [{ class: "*", count: 410 }, "count", /count is 410; give 1 to 409: 10 classes are drawn/],
  [{ class: [] }, "class.length", /0; give 1 to 4 classes/],
  [{ class: [{ class: 1, weight: -1 }] }, "class[0].weight", /is -1; give 0 or more/],
  [{ class: [{ class: 1, weight: 0 }] }, "class", /sum of the weights of class is 0/],
  [{ class: 0, truncation: 0 }, "truncation", /truncation is 0; give 0.0\d* to \d+, or null/],
  [{ class: 0, truncation: -1 }, "truncation", /truncation is -1/],
  [{ class: 0, truncation: NaN }, "truncation", /truncation is NaN/],
  [{ class: 0, count: 0 }, "count", "count is 0; give 1 to 4096"],
  [{ class: 0, count: 4097 }, "count", "count is 4097; give 1 to 4096"],
  [{ class: 0, seed: -1 }, "seed", /seed is -1/],
  [{ class: 0, seed: 2 ** 60 }, "seed", /a bigint where it is 2\^53 or more/],
  [{ class: 0, seed: 0.5 }, "seed", /seed is 0.5/],
  [{ class: 0, first: -1 }, "first", /first is -1/],
  [{ class: 0, chunks: [0, 0, 0, 0, 0] }, "chunks.length", /chunks.length is 5; give 4 at most/],
  [{ class: 0, chunks: [NaN] }, "chunks[0]", /NaN/],
  [{ class: 0, steps: [{ seed: 1, size: Infinity }] }, "steps[0].size", /Infinity/],
  [{ class: 0, steps: Array(257).fill({ seed: 1, size: 0 }) }, "steps.length", /257; give 256 at most, those of mates/],
  [{ class: 0, steps: [cross({ classes: 2 })] }, "steps[0].classes", "steps[0].classes is 2; give 0 to 1"],
  [{ class: 0, steps: [cross({ chunks: [0, -1] })] }, "steps[0].chunks[1]", /-1; give 0 to 1/],
  [{ class: 0, steps: [cross({ chunks: [0, 0, 0, 0, 0] })] }, "steps[0].chunks.length", /5; give 4 at most/],
  [{ class: 0, steps: [cross({}, { seed: -1 })] }, "steps[0].mate.z.seed", /-1/],
  [{ class: 0, steps: [cross({}, { seed: 1, steps: [cross({ classes: 3 })] })] }, "steps[0].mate.z.steps[0].classes", /3/],
  [
    { class: 0, steps: Array(2).fill(cross({}, { seed: 1, steps: Array(128).fill({ seed: 1, size: 0 }) })) },
    "steps.length",
    /258; give 256/,
  ],
];

test("bad options and requests are typed errors that name the field", LIMIT, async (t) => {
  const { page, errors } = await libraryPage(t);
  const found = await page.evaluate(
    async (requests) => {
      const generator = await biggan.make();
      const all = [];
      for (const request of requests) all.push(await biggan.failure(generator.sample(request)));
      const point = { classes: [{ class: 0, weight: 1 }], z: { seed: 1 } };
      const far = { from: point, to: { point, at: 2 } };
      const others = [
        await biggan.failure(generator.sample({ class: 0, seed: 2n ** 64n })),
        await biggan.failure(generator.draw({ pictures: [] })),
        await biggan.failure(generator.draw({ pictures: [{ from: point }, far] })),
        await biggan.failure(generator.interpolate({ from: point, to: point, count: 1 }).next()),
        await biggan.failure(biggan.make({ backend: "tpu" })),
        await biggan.failure(biggan.make({ worker: "service" })),
        await biggan.failure(biggan.make({ sha256: "abc" })),
        await biggan.failure(biggan.make({ model: "http://[" })),
        await biggan.failure(biggan.make({ model: "" })),
      ];
      const good = (await generator.sample({ class: 0 })).samples.length;
      generator.dispose();
      const disposed = await biggan.failure(generator.sample({ class: 0 }));
      return { all, others, good, disposed };
    },
    BAD_REQUESTS.map(([request]) => request),
  );
  BAD_REQUESTS.forEach(([, field, says], place) => {
    const error = found.all[place];
    assert.deepEqual([error.name, error.code, error.field], ["BigGanError", "bad-request", field]);
    if (says instanceof RegExp) assert.match(error.message, says);
    else assert.equal(error.message, says);
  });
  assert.deepEqual(
    found.others.map(({ code, field }) => [code, field]),
    [
      ["bad-request", "seed"],
      ["bad-request", "pictures.length"],
      ["bad-request", "pictures[1].to.at"],
      ["bad-request", "count"],
      ["bad-options", "backend"],
      ["bad-options", "worker"],
      ["bad-options", "sha256"],
      ["bad-options", "model"],
      ["bad-options", "model"],
    ],
  );
  assert.equal(found.good, 1);
  assert.equal(found.disposed.code, "disposed");
  assert.deepEqual(errors, []);
});

test("what onProgress throws is what the call rejects with; what onRunning throws is the page's own", LIMIT, async (t) => {
  const { page, errors } = await libraryPage(t, { files: CRASHING });
  const found = await page.evaluate(async () => {
    const reasons = [];
    for (const wrong of ["program", "download", "verify", "prepare", "ready"]) {
      const mine = new Error(`mine: ${wrong}`);
      const onProgress = ({ phase }) => {
        if (phase === wrong) throw mine;
      };
      reasons.push(await biggan.make({ onProgress }).then(() => "made", (error) => error === mine));
    }
    let workers = 0;
    const generator = await biggan.make({
      worker: () => new Worker(`/crashing.js?at=${workers++ === 0 ? 1 : ""}`, { type: "module" }),
      onRunning: () => {
        throw new Error("mine: running");
      },
    });
    const { samples } = await generator.sample({ class: 0 });
    return { reasons, samples: samples.length, restarts: generator.info.running.restarts };
  });
  assert.deepEqual(found, { reasons: [true, true, true, true, true], samples: 1, restarts: 1 });
  assert.deepEqual(errors.filter((text) => !text.includes("on purpose")), ["mine: running"]);
  assert.ok(page.workers().length <= 1, "a generator that is not made leaves no worker");
});

/** A worker that breaks at the draws that its page asks for, by an error outside of any request. */
const CRASHING = {
  "/crashing.js": 'import "/crash.js"; import "/lib/worker.js";',
  "/crash.js": `
let draws = 0;
const crashAt = new URLSearchParams(location.search).get("at").split(",").map(Number);
addEventListener("message", ({ data }) => {
  if (data.call === "draw" && crashAt.includes(++draws)) throw new Error("the worker broke on purpose");
});
`,
};

/** Pictures of a generator whose workers break at given draws, one list a worker. */
const crash = (page, plan) =>
  page.evaluate(async (plan) => {
    const expected = biggan.bytes(
      await (await biggan.make()).sample({ class: 2, seed: 5, count: 6 }),
    );
    const heard = [];
    let workers = 0;
    const generator = await biggan.make({
      worker: () => new Worker(`/crashing.js?at=${plan[workers++] ?? ""}`, { type: "module" }),
      onRunning: (running) => heard.push(running),
    });
    const outcome = await generator.sample({ class: 2, seed: 5, count: 6 }).then(
      (samples) => JSON.stringify(biggan.bytes(samples)) === JSON.stringify(expected),
      (error) => ({ code: error.code, message: error.message }),
    );
    const next = await generator.sample({ class: 2 }).then(
      ({ samples }) => samples.length,
      (error) => error.code,
    );
    return { outcome, heard, workers, next };
  }, plan);

test("after a crash a new worker repeats the request, once", LIMIT, async (t) => {
  const { page } = await libraryPage(t, { files: CRASHING });
  const once = await crash(page, ["2"]);
  assert.equal(once.outcome, true);
  assert.equal(once.workers, 2);
  assert.deepEqual(
    once.heard.map(({ backend, restarts }) => [backend, restarts]),
    [["cpu", 1]],
  );
  const twice = await crash(page, ["1", "1"]);
  assert.equal(twice.outcome.code, "fault");
  assert.match(twice.outcome.message, /the worker broke on purpose/);
  assert.equal(twice.next, 1, "a later request starts a third worker");
});

test("foreign files are imported", LIMIT, async (t) => {
  const folder = here("../../tests/fixtures/hf-deep-128/");
  const { page, errors } = await libraryPage(t, { files: { "/hf/": folder } });
  const found = await page.evaluate(async () => {
    const blob = async (name) => (await fetch(`/hf/${name}`)).blob();
    const [weights, config] = [await blob("pytorch_model.bin"), await blob("config.json")];
    const generator = await biggan.make({ model: { weights, config } });
    const { samples } = await generator.sample({ class: 0, truncation: 0.5 });
    const without = await biggan.failure(biggan.make({ model: { weights } }));
    return { model: generator.info.model, width: samples[0].image.width, without };
  });
  assert.equal(found.model.imported, "hf-deep");
  assert.equal(found.width, 128);
  assert.equal(found.without.code, "bad-model");
  assert.match(found.without.message, /config/);
  assert.deepEqual(errors, []);
});
