/** The training view's modules that need no browser: logs of bounded size, pace, the order of a step. */

import assert from "node:assert/strict";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";

const load = async (name) => {
  const path = fileURLToPath(new URL(`../src/app/training/${name}.ts`, import.meta.url));
  return (await runnerImport(path)).module;
};
const { averageOf, CurveLog, MAX_POINTS } = await load("curve-log");
const { FrameLog } = await load("frame-log");
const { Pace } = await load("pace");
const { stagesOf } = await load("picture/walk");
const { EXPLANATIONS, PARTS } = await load("picture/parts");
const { phasesOf } = await load("picture/phases");
const { pathOf, pointAt } = await load("picture/motion");
const { TALL, WIDE } = await load("picture/layout");
const { discriminatorMaps, generatorMaps } = await load("picture/layers");

test("a log of curves stays bounded and keeps its means and its span", () => {
  const log = new CurveLog();
  for (let at = 1; at <= 100_000; at++) log.add({ at, values: { a: at % 2, ...(at % 2 && { b: 3 }) } });
  const [places, a, b, none] = log.columns(["a", "b", "none"]);
  assert.ok(places.length <= MAX_POINTS && places.length >= MAX_POINTS / 4, `${places.length} points`);
  assert.ok(places.at(-1) > 99_000 && places[0] < 1000);
  assert.ok(places.every((at, index) => index === 0 || at > places[index - 1]));
  // every other value is 1: each mean of many is 1/2, and b is 3 wherever it was measured
  assert.ok(a.every((value) => Math.abs(value - 0.5) < 1e-9));
  assert.ok(b.every((value) => Math.abs(value - 3) < 1e-9));
  assert.ok(none.every((value) => value === null));
  assert.equal(log.lastOf("b"), 3);
});

test("a log of curves is saved, restored and cut", () => {
  const log = new CurveLog();
  for (let at = 1; at <= 1000; at++) log.add({ at, values: { a: at } });
  const other = new CurveLog();
  other.restore(JSON.parse(JSON.stringify(log.save())));
  const near = () => {
    const [[at, a], [otherAt, otherA]] = [log.columns(["a"]), other.columns(["a"])];
    assert.deepEqual(otherAt, at);
    otherA.forEach((value, index) => assert.ok(Math.abs(value - a[index]) <= 1e-4 * a[index]));
  };
  near();
  for (const one of [log, other]) for (let at = 1001; at <= 3000; at++) one.add({ at, values: { a: at } });
  near();
  log.cutAfter(500);
  assert.ok(log.columns(["a"])[0].every((at) => at <= 500));
});

test("the curves of many layers are kept in less than the store reads for a note", () => {
  const log = new CurveLog();
  const names = Array.from({ length: 60 }, (_, layer) => `sigma G blocks.${layer}.bn1.gain`);
  for (let at = 1; at <= MAX_POINTS - 1; at++) {
    log.add({ at, values: Object.fromEntries(names.map((name, layer) => [name, 1 + Math.sin(at * layer) / 3])) });
  }
  assert.ok(JSON.stringify(log.save()).length < 500_000, `${JSON.stringify(log.save()).length} bytes`);
});

test("an average follows its values, over what was not measured", () => {
  const averages = averageOf([1, null, 2, 2, null]);
  assert.deepEqual(averages.map((value) => value === null ? null : Number(value.toFixed(3))), [1, null, 1.1, 1.19, null]);
  const noise = averageOf(Array.from({ length: 600 }, (_, index) => index % 2));
  assert.ok(Math.abs(noise.at(-1) - 0.5) < 0.06);
});

test("the newest value of a long log is the one that was measured last", () => {
  const log = new CurveLog();
  for (let at = 1; at <= 5001; at++) log.add({ at, values: { a: at } });
  assert.equal(log.lastOf("a"), 5001);
  log.cutAfter(100);
  assert.ok(log.lastOf("a") <= 100);
});

test("values that are none leave no gap in the means", () => {
  const log = new CurveLog();
  log.add({ at: 1, values: { a: NaN, b: 2 } });
  assert.deepEqual(log.columns(["a", "b"]), [[1], [null], [2]]);
});

const frame = (updates, bytes = 4096) => ({ gStep: updates, updates, sheets: [{ data: { length: bytes } }] });

test("the past of the grid stays bounded, with its first and its newest frame", () => {
  const log = new FrameLog();
  for (let step = 0; step < 5000; step++) {
    log.add(frame(step));
    const { frames } = log;
    assert.ok(frames.length <= 64, `${frames.length} frames`);
    assert.deepEqual([frames[0].updates, frames.at(-1).updates], [0, step]);
  }
  // evenly thinned out: no gap is more than twice another, but for the newest
  const kept = log.frames.map(({ updates }) => updates).slice(0, -1);
  const gaps = kept.slice(1).map((at, index) => at - kept[index]);
  assert.ok(Math.max(...gaps) <= 2 * Math.min(...gaps), `${gaps}`);
  assert.ok(kept.length >= 30);
  log.cutAfter(2000);
  assert.ok(log.frames.every(({ updates }) => updates <= 2000));
  log.add(frame(2001));
  assert.equal(log.frames.at(-1).updates, 2001);
});

test("large frames are fewer", () => {
  const log = new FrameLog();
  for (let step = 0; step < 100; step++) log.add(frame(step, 1e6));
  assert.ok(log.frames.length <= 24, `${log.frames.length}`);
});

test("looks cost little, and runs of steps are short", () => {
  const pace = new Pace();
  assert.equal(pace.steps, 1);
  assert.equal(pace.isLookDue(0), true);
  for (let step = 0; step < 50; step++) pace.stepTook(100);
  assert.equal(pace.steps, 5);
  pace.lookTook(200, 10_000);
  assert.equal(pace.isLookDue(12_000), false);
  assert.equal(pace.isLookDue(12_600), true);
  for (let step = 0; step < 50; step++) pace.stepTook(20_000);
  assert.equal(pace.steps, 1);
});

const RECIPE = { batchSize: 32, dSteps: 2, orthogonal: 1e-4, width: 8 };

test("a step of D teaches D alone, a step of G only G", () => {
  const parts = (which, recipe = RECIPE) => stagesOf(which, recipe, {}).flatMap((stage) => stage.parts);
  assert.ok(parts("d").includes("update-d") && !parts("d").includes("update-g"));
  assert.ok(parts("g").includes("update-g") && !parts("g").includes("update-d"));
  assert.ok(!parts("g").includes("reals"), "a step of G sees no real images");
  assert.ok(!parts("g", { ...RECIPE, orthogonal: 0 }).includes("orthogonal"));
  const both = parts("both");
  assert.ok(both.indexOf("update-d") < both.indexOf("update-g"));
  for (const part of PARTS) assert.ok(both.includes(part), `${part} is in no step`);
  const said = stagesOf("d", RECIPE, { dReal: 0.5, dFake: -0.25, lossD: 1.25 }).map(({ says }) => says).join(" ");
  assert.match(said, /0\.50 .* −0\.25.*1\.250/);
});

test("in slow motion all goes along flows of the picture, with the numbers of the step", () => {
  const scored = [0, 1].map((number) => ({ image: {}, class: number, score: number - 0.5 }));
  const report = { dReal: 0.5, dFake: -0.25, lossD: 1.25, lossG: 0.25 };
  const phases = phasesOf({ look: { real: scored, fake: scored }, report, classNames: ["cat", "dog"] }, RECIPE);
  const flows = WIDE.flows.map(({ from, to }) => `${from} ${to}`);
  for (const { moves } of phases) for (const { from, to } of moves) assert.ok(flows.includes(`${from} ${to}`), `${from} ${to}`);
  const said = phases.map(({ says }) => says).join(" ");
  assert.match(said, /^D’s turn \(2 times\).* \+0\.50 .* −0\.25\. .* 1\.25 .*G’s turn: .* 0\.25 /);
  const words = phases.flatMap(({ moves }) => moves.flatMap(({ things }) => things)).map(({ text }) => text).join(" ");
  assert.match(words, /cat dog.*−0\.50 \+0\.50.*real \+0\.50 fake −0\.25 loss 1\.25/);
});

test("a thing sets out in the middle of a part and arrives in that of another", () => {
  const points = pathOf(WIDE, { from: "latents", to: "generator" });
  assert.deepEqual([pointAt(points, 0), pointAt(points, 1)], [[65, 181], [255, 224]]);
  assert.deepEqual(pointAt([[0, 0], [4, 0], [4, 4]], 0.75), [4, 2]);
  assert.deepEqual(pointAt([[1, 1], [1, 1]], 0.5), [1, 1]);
});

test("each part is explained in two sentences that name the paper's section", () => {
  for (const [part, { text }] of Object.entries(EXPLANATIONS)) {
    assert.match(text, /(section \d|appendix [A-I])/, part);
    assert.equal(text.split(/[.?!] (?=[A-Z])/).length, 2, `${part}: ${text}`);
  }
});

test("the parts of the picture lie inside it and apart", () => {
  for (const { width, height, boxes, flows } of [WIDE, TALL]) {
    const all = Object.entries(boxes);
    for (const [part, { x, y, width: w, height: h }] of all) {
      assert.ok(x >= 0 && y >= 0 && x + w <= width && y + h <= height, `${part} leaves the picture`);
      for (const [other, box] of all) {
        if (other === part) continue;
        const apart = x + w <= box.x || box.x + box.width <= x || y + h <= box.y || box.y + box.height <= y;
        assert.ok(apart, `${part} lies over ${other}`);
      }
    }
    for (const { from, to, points } of flows) {
      const touches = ({ x, y, width: w, height: h }, [px, py]) => px >= x && px <= x + w && py >= y && py <= y + h;
      assert.ok(touches(boxes[from], points[0]), `${from} -> ${to} begins elsewhere`);
      assert.ok(touches(boxes[to], points.at(-1)), `${from} -> ${to} ends elsewhere`);
    }
  }
});

test("the feature maps are those of the core's tables", () => {
  assert.deepEqual(generatorMaps(RECIPE, 32).at(-1), { side: 32, channels: 32 });
  assert.deepEqual(generatorMaps(RECIPE, 64).at(-1), { side: 64, channels: 16 });
  assert.deepEqual(discriminatorMaps(RECIPE, 32).map(({ side }) => side), [16, 8, 8, 8]);
  assert.deepEqual(discriminatorMaps(RECIPE, 64).map(({ side }) => side), [32, 16, 8, 4, 4]);
});
