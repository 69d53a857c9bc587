/** Pictures of the training view at three widths, light and dark, which are looked at and kept in `shots/`. */

import assert from "node:assert/strict";
import test from "node:test";
import { buildWithFake } from "./fake-site.mjs";
import { keepShot } from "./shots.mjs";
import { openSite, skip } from "./site.mjs";
import { opened, paused, play, step, trainedTo } from "./train-page.mjs";

const LIMIT = { skip, timeout: 180_000 };
const SIZES = { 390: 844, 1280: 800, 2560: 1300 };
const outDir = skip ? "" : await buildWithFake();

async function keep(page, name, { fullPage, top = fullPage }) {
  await page.mouse.move(0, 0);
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  assert.equal(overflow, 0, `${name} scrolls sideways`);
  await page.evaluate(() => {
    document.activeElement.blur();
    // times differ from run to run: pictures that are kept should not
    const kept = document.querySelector("#kept");
    kept.textContent = kept.textContent.replace(/at .*\./, "at ….");
  });
  if (top) await page.evaluate(() => scrollTo(0, 0));
  keepShot(name, await page.screenshot({ fullPage }));
}

for (const colorScheme of ["light", "dark"]) {
  for (const [width, height] of Object.entries(SIZES)) {
    test(`looks: ${colorScheme}, ${width} pixels wide`, LIMIT, async (t) => {
      const { page, errors, address } = await openSite(t, {
        ...{ outDir, colorScheme, reducedMotion: "reduce" },
        viewport: { width: Number(width), height },
      });
      await opened(page, `${address}train.html?fake=stop`);
      await page.waitForFunction(() => document.querySelectorAll("#preview canvas").length === 2);
      await page.locator(".u-over").first().waitFor();
      if (colorScheme === "light") await keep(page, `train-start-${width}-light`, { fullPage: true });
      await play(page).click();
      await trainedTo(page, 150);
      // the last look and the last drawing of the charts
      await page.waitForTimeout(1200);
      await paused(page);
      await page.getByText(/^Kept in this browser at/).waitFor();
      await step(page, "D step").click();
      await page.getByText("1 of 8").waitFor();
      for (let next = 2; next <= 5; next++) await page.getByRole("button", { name: "Next" }).click();
      await page.waitForTimeout(500);
      // on a phone what is said of a part stays in sight beside the tall picture
      await keep(page, `train-step-${width}-${colorScheme}`, { fullPage: width !== "390" });
      if (width === "390") await keep(page, `train-${width}-${colorScheme}`, { fullPage: false, top: true });
      assert.deepEqual(errors, []);
    });
  }
}

test("nothing moves while data and samples come", LIMIT, async (t) => {
  const { page, address } = await openSite(t, { outDir, viewport: { width: 1280, height: 800 } });
  await page.addInitScript(() => {
    window.shift = 0;
    window.shifts = [];
    new PerformanceObserver((list) => {
      for (const { value, hadRecentInput, sources } of list.getEntries()) {
        if (hadRecentInput) continue;
        window.shift += value;
        window.shifts.push(...sources.map(({ node }) => node?.id || node?.className || node?.nodeName));
      }
    }).observe({ type: "layout-shift", buffered: true });
  });
  await opened(page, `${address}train.html?fake=slow`);
  await play(page).click();
  await trainedTo(page, 3);
  const { shift, shifts } = await page.evaluate(() => ({ shift, shifts }));
  t.diagnostic(`cumulative layout shift ${shift.toFixed(4)} ${shifts.join(" ")}`);
  assert.ok(shift < 0.1, `${shift}`);
});
