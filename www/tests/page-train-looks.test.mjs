/**
 * Pictures of the training view at three widths, light and dark, which are looked at and kept in `shots/`: of a
 * real training, no two of which take the same time. So they are written where they are missing, or where
 * BIGGAN_SHOTS is set.
 */

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { buildWithFake } from "./fake-site.mjs";
import { keepShot } from "./shots.mjs";
import { openSite, skip } from "./site.mjs";
import { opened, paused, play, step, trainedTo } from "./train-page.mjs";

const LIMIT = { skip, timeout: 300_000 };
const SIZES = { 390: 844, 1280: 800, 2560: 1300 };
const STEPS = 500;

async function resize(page, width) {
  await page.setViewportSize({ width, height: SIZES[width] });
  // the charts and the picture of a step are drawn anew
  await page.waitForTimeout(800);
}

async function keep(page, name, { fullPage, top = fullPage }) {
  await page.mouse.move(0, 0);
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  assert.equal(overflow, 0, `${name} scrolls sideways`);
  await page.evaluate(() => document.activeElement.blur());
  if (top) await page.evaluate(() => scrollTo(0, 0));
  const picture = await page.screenshot({ fullPage });
  const file = fileURLToPath(new URL(`shots/${name}.png`, import.meta.url));
  if (process.env.BIGGAN_SHOTS || !existsSync(file)) keepShot(name, picture);
}

test("looks: before a training and after", LIMIT, async (t) => {
  const { page, errors, address } = await openSite(t, { colorScheme: "light", reducedMotion: "reduce" });
  await opened(page, `${address}train.html`);
  await page.locator(".u-over").first().waitFor();
  for (const width of [390, 1280, 2560]) {
    await resize(page, width);
    await keep(page, `train-start-${width}-light`, { fullPage: width !== 390, top: true });
  }
  await resize(page, 1280);
  await play(page).click();
  await trainedTo(page, STEPS, 250_000);
  await paused(page);
  await page.getByText(/^Kept in this browser at/).waitFor();
  await step(page, "D step").click();
  await page.getByText("1 of 8", { exact: true }).waitFor();
  const next = page.getByRole("button", { name: "Next" });
  for (let stage = 2; stage <= 5; stage++) await next.click();
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    for (const width of [2560, 1280, 390]) {
      await resize(page, width);
      if (width === 390) {
        await keep(page, `train-${width}-${colorScheme}`, { fullPage: false, top: true });
        // what is said of a part stays in sight beside the tall picture
        await step(page, "D step").click();
        await page.getByText("1 of 8", { exact: true }).waitFor();
        for (let stage = 2; stage <= 5; stage++) await next.click();
        await page.waitForTimeout(300);
      }
      await keep(page, `train-step-${width}-${colorScheme}`, { fullPage: width !== 390 });
    }
  }
  assert.deepEqual(errors, []);
});

test("nothing moves while data and samples come", LIMIT, async (t) => {
  const outDir = await buildWithFake();
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
