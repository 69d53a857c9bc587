/** Time from a cold navigation to the first picture of the page's own model on the CPU backend. */

import assert from "node:assert/strict";
import { cpus } from "node:os";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openSite, OWN, settled, skip } from "../site.mjs";

const RUNS = 9;
const ROUNDS = 3;
/** The first picture at the median, where other programs leave the processors alone. */
const MOST_MS = 1200;
/** Share of the processors' time that is free where nothing else runs. */
const FREE = 0.8;

/** The share of the processors' time that is free now, over two seconds. */
async function free() {
  const times = () =>
    cpus().reduce(([idle, all], { times }) => {
      const sum = Object.values(times).reduce((total, time) => total + time, 0);
      return [idle + times.idle, all + sum];
    }, [0, 0]);
  const [idle, all] = times();
  await sleep(2000);
  const [later, end] = times();
  return (later - idle) / (end - all);
}

/** Times of the first picture and of all, in milliseconds, of so many cold navigations. */
async function navigations(t) {
  const times = [];
  for (let run = 0; run < RUNS; run++) {
    // a browser of its own: no cache of files or of compiled code
    const { page, address } = await openSite(t, { own: true });
    await page.addInitScript((classes) => {
      const note = (list) => {
        const pictures = list.querySelectorAll("img").length;
        if (pictures > 0) window.firstMs ??= performance.now();
        if (pictures === classes) window.allMs ??= performance.now();
      };
      addEventListener("DOMContentLoaded", () => {
        const list = document.querySelector("#samples");
        new MutationObserver(() => note(list)).observe(list, { childList: true, subtree: true });
      });
    }, OWN.classes);
    await page.goto(`${address}?backend=cpu`);
    await settled(page, "Samples");
    times.push(await page.evaluate(() => [window.firstMs, window.allMs]));
    await page.context().browser().close();
  }
  return times;
}

test("a cold navigation ends with a picture", { skip, timeout: 400_000 }, async (t) => {
  const idle = await free();
  t.diagnostic(`${Math.round(100 * idle)} % of the processors' time was free before`);
  const median = (values) => values.toSorted((a, b) => a - b)[(RUNS - 1) / 2];
  const spread = (values) => `${Math.min(...values).toFixed(0)} to ${Math.max(...values).toFixed(0)}`;
  let best = Infinity;
  // what else a machine does only adds time: the quickest of some rounds is the page's own
  for (let round = 0; round < ROUNDS && best > MOST_MS; round++) {
    const times = await navigations(t);
    for (const [at, what] of ["first picture", `all ${OWN.classes} pictures`].entries()) {
      const values = times.map((pair) => pair[at]);
      assert.ok(values.every(Number.isFinite));
      t.diagnostic(`${what}: median of ${RUNS} ${median(values).toFixed(0)} ms, ${spread(values)} ms`);
    }
    best = Math.min(best, median(times.map(([first]) => first)));
  }
  if (idle >= FREE) assert.ok(best <= MOST_MS, `the first picture after ${best.toFixed(0)} ms`);
});
