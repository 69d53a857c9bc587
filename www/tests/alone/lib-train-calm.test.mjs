/** The page stays responsive while it trains, and memory stays flat. */

import assert from "node:assert/strict";
import test from "node:test";
import { skip as noPackage, without } from "../lib-host.mjs";
import { trainPage } from "../lib-train-page.mjs";

const STEPS = 500;
/** Steps in which the allocator finds its size. */
const SETTLING = 50;
/** Growth of the wasm memory after that. */
const GROWTH = 0.05;
test(
  `${STEPS} steps: no task of the page over 50 ms, memory flat`,
  { skip: noPackage || without("train-cpu"), timeout: 600_000 },
  async (t) => {
    const { page } = await trainPage(t);
    const found = await page.evaluate(async (steps) => {
      const { data } = await biggan.readShipped({ resolution: 16, classes: [1, 9] });
      const { recipe } = biggan.PRESETS[0];
      const memory = [];
      let trainer;
      const onProgress = ({ phase }) => phase === "step" && memory.push(trainer.state.memoryBytes);
      trainer = await biggan.createTrainer({ data, recipe, backend: "cpu", onProgress });
      const tasks = [];
      const observer = new PerformanceObserver((list) => {
        tasks.push(...list.getEntries().map(({ startTime, duration }) => [startTime, duration]));
      });
      observer.observe({ type: "longtask" });
      // the observer works: this task is found, and is none of the training's
      const blocked = performance.now();
      while (performance.now() - blocked < 80);
      await new Promise((resolve) => setTimeout(resolve, 50));
      const control = tasks.splice(0).length;

      const start = performance.now();
      await trainer.step(steps);
      const seconds = (performance.now() - start) / 1000;
      // what a page does beside it
      const running = trainer.step(60);
      for (let looks = 0; looks < 15; looks++) {
        await trainer.look();
        await trainer.save();
      }
      await running;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return { memory, tasks, control, seconds };
    }, STEPS);
    assert.equal(found.control, 1, "the observer sees long tasks");
    assert.equal(found.memory.length, STEPS + 60);
    const settled = found.memory[SETTLING - 1];
    const most = Math.max(...found.memory);
    t.diagnostic(`${(found.seconds / STEPS * 1000).toFixed(0)} ms a step`);
    t.diagnostic(`memory: ${settled} bytes after ${SETTLING} steps, ${most} at most, ${found.memory.at(-1)} after 15 looks and checkpoints`);
    t.diagnostic(`tasks over 50 ms: ${JSON.stringify(found.tasks)}`);
    assert.ok(most <= settled * (1 + GROWTH), `${settled} bytes grew to ${most}`);
    assert.deepEqual(found.tasks, []);
  },
);
