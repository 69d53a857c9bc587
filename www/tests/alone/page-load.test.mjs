/** Time from a cold navigation to the first picture of the shipped model on the CPU backend. */

import assert from "node:assert/strict";
import test from "node:test";
import { openSite, settled, skip } from "../site.mjs";

const RUNS = 9;

test("a cold navigation ends with a picture", { skip, timeout: 300_000 }, async (t) => {
  const times = [];
  for (let run = 0; run < RUNS; run++) {
    // a browser of its own: no cache of files or of compiled code
    const { page, address } = await openSite(t);
    await page.addInitScript(() => {
      const note = (list) => {
        const pictures = list.querySelectorAll("img").length;
        if (pictures > 0) window.firstMs ??= performance.now();
        if (pictures === 10) window.allMs ??= performance.now();
      };
      addEventListener("DOMContentLoaded", () => {
        const list = document.querySelector("#samples");
        new MutationObserver(() => note(list)).observe(list, { childList: true, subtree: true });
      });
    });
    await page.goto(`${address}?backend=cpu`);
    await settled(page, "Samples");
    times.push(await page.evaluate(() => [window.firstMs, window.allMs]));
    await page.context().browser().close();
  }
  const median = (values) => values.toSorted((a, b) => a - b)[(RUNS - 1) / 2];
  const spread = (values) => `${Math.min(...values).toFixed(0)} to ${Math.max(...values).toFixed(0)}`;
  for (const [at, what] of ["first picture", "all 10 pictures"].entries()) {
    const values = times.map((pair) => pair[at]);
    assert.ok(values.every(Number.isFinite));
    t.diagnostic(`${what}: median of ${RUNS} ${median(values).toFixed(0)} ms, ${spread(values)} ms`);
  }
});
