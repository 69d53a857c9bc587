/** Two hundred steps in a browser on the CPU teach a model its two classes. */

import assert from "node:assert/strict";
import test from "node:test";
import { accuracy, featuresOf, fitLogistic } from "./classifier.mjs";
import { skip, without } from "./lib-host.mjs";
import { trainPage } from "./lib-train-page.mjs";

const STEPS = Number(process.env.STEPS ?? 200);
const CLASSES = [1, 9];
const SAMPLES = 100;
/** What the issue asks for. */
const [LIMIT_SECONDS, SHARE] = [300, 0.8];

test(
  `${STEPS} steps of a 16 px model, CPU`,
  { skip: skip || without("train-cpu"), timeout: 600_000 },
  async (t) => {
    const { page, errors } = await trainPage(t);
    const run = await page.evaluate(
      async ([steps, classes, samples, patch]) => {
        const { data } = await biggan.readShipped({ resolution: 16, classes });
        const recipe = { ...biggan.PRESETS[0].recipe, ...patch };
        const trainer = await biggan.createTrainer({ data, recipe, backend: "cpu" });
        /** RGBA bytes of samples of each class of the exported model, as any page draws them. */
        const drawn = async () => {
          const model = await trainer.exportModel();
          const generator = await biggan.createGenerator({ model, backend: "cpu", cache: false });
          const all = [];
          for (const place of [0, 1]) {
            for (let first = 0; first < samples; first += 50) {
              const request = { class: place, seed: 5, first, count: 50 };
              const { samples } = await generator.sample(request);
              all.push(...samples.map(({ image }) => [...image.data]));
            }
          }
          generator.dispose();
          return all;
        };
        const before = await drawn();
        const start = performance.now();
        const reports = await trainer.step(steps);
        const seconds = (performance.now() - start) / 1000;
        const after = await drawn();
        const { pixels, labels } = data;
        trainer.dispose();
        return { before, after, seconds, reports, pixels: [...pixels], labels: [...labels] };
      },
      [STEPS, CLASSES, SAMPLES, JSON.parse(process.env.PATCH ?? "{}")],
    );
    assert.deepEqual(errors, []);
    assert.equal(run.reports.length, STEPS);

    const bytes = 16 * 16 * 3;
    const reals = run.labels.map((_, i) => {
      const rgb = run.pixels.slice(i * bytes, (i + 1) * bytes);
      return featuresOf(rgb.flatMap((value, p) => (p % 3 === 2 ? [value, 255] : [value])));
    });
    // every fourth image is held out
    const part = (all, held) => all.filter((_, i) => (i % 4 === 0) === held);
    const classify = fitLogistic(part(reals, false), part(run.labels, false));
    const onReals = accuracy(classify, part(reals, true), part(run.labels, true));
    const wanted = [0, 1].flatMap((place) => Array(SAMPLES).fill(place));
    const [untrained, trained] = [run.before, run.after].map((images) =>
      accuracy(classify, images.map(featuresOf), wanted),
    );
    const last = run.reports.at(-1);
    t.diagnostic(
      `${run.seconds.toFixed(1)} s, ${((1000 * run.seconds) / STEPS).toFixed(0)} ms a step; losses ${last.lossD.toFixed(2)} and ${last.lossG.toFixed(2)}`,
    );
    t.diagnostic(`classifier: ${onReals} on held-out reals, ${untrained} before, ${trained} after`);
    if (process.env.DUMP) {
      const { writeFileSync } = await import("node:fs");
      writeFileSync(process.env.DUMP, JSON.stringify(run.after));
    }
    assert.ok(onReals > 0.95, `the classifier knows ${onReals} of real images`);
    assert.ok(untrained < 0.7, `an untrained model already has ${untrained}`);
    assert.ok(trained > SHARE, `${trained} of the samples are of their class`);
    assert.ok(run.seconds < LIMIT_SECONDS, `${run.seconds} s`);
  },
);
