/** Pictures of the page at three widths, light and dark, which are looked at and kept in `shots/`. */

import assert from "node:assert/strict";
import test from "node:test";
import { keepShot } from "./shots.mjs";
import { openSite, settled, skip } from "./site.mjs";

const LIMIT = { skip, timeout: 120_000 };
const SIZES = { 390: 844, 1280: 800, 2560: 1300 };

const VIEWS = [
  ["samples", "Samples", "class=7&seed=1&index=5"],
  ["mix", "Samples", "class=3:70,8:30&seed=12&z=0,0.5,-0.75,0.2&t=0.7&n=36"],
  ["between", "Interpolation", "class=9&seed=4&n=16&view=between&to.class=0&to.seed=9"],
  ["truncations", "Truncations", "class=3&seed=12&view=truncations"],
  ["breeding", "Children", "class=8&seed=5&index=2&steps=2:0.25,9:0.25,4:0.25&view=breeding&n=12"],
];

for (const colorScheme of ["light", "dark"]) {
  test(`looks: ${colorScheme}`, LIMIT, async (t) => {
    const { page, errors, address } = await openSite(t, { colorScheme, reducedMotion: "reduce" });
    for (const [width, height] of Object.entries(SIZES)) {
      await page.setViewportSize({ width: Number(width), height });
      for (const [name, list, link] of VIEWS) {
        // every view at one width of each scheme, and the first at all
        if (name !== "samples" && width !== { light: "1280", dark: "390" }[colorScheme]) continue;
        await page.goto("about:blank");
        await page.goto(`${address}#${link}`);
        await settled(page, list);
        await page.evaluate(() => document.activeElement.blur());
        const overflow = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        assert.equal(overflow, 0, `${name} scrolls sideways at ${width}`);
        // times and bytes differ from run to run: pictures that are kept should not
        await page.evaluate(() => {
          for (const id of ["timing", "memory"]) {
            const line = document.getElementById(id);
            line.textContent = line.textContent.replaceAll(/\d[\d.,]*(?= (ms|s|kB|MB|GB)\b)/g, "…");
          }
        });
        const fullPage = name === "samples";
        keepShot(`page-${name}-${width}-${colorScheme}`, await page.screenshot({ fullPage }));
      }
    }
    assert.deepEqual(errors, []);
  });
}

test("nothing moves while pictures come", LIMIT, async (t) => {
  const { page, address } = await openSite(t);
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
  await page.goto(address);
  await settled(page, "Samples");
  const { shift, shifts } = await page.evaluate(() => ({ shift, shifts }));
  t.diagnostic(`cumulative layout shift ${shift.toFixed(4)} ${shifts.join(" ")}`);
  assert.ok(shift < 0.1, `${shift}`);
});

test("on a phone the pictures stay in sight while a control is used", LIMIT, async (t) => {
  const { page, address } = await openSite(t, {
    viewport: { width: 390, height: 844 },
    hasTouch: true,
    colorScheme: "light",
  });
  await page.goto(`${address}#class=3&seed=5`);
  await settled(page, "Samples");
  const slider = page.getByRole("slider", { name: "Detail" });
  await slider.evaluate((input) => input.scrollIntoView({ block: "end" }));
  await slider.fill("0.6");
  await settled(page, "Samples");
  const box = (locator) => locator.evaluate((element) => element.getBoundingClientRect().toJSON());
  const [pictures, control] = [await box(page.getByRole("list", { name: "Samples" })), await box(slider)];
  assert.ok(pictures.top >= 0, `the pictures begin at ${pictures.top}`);
  assert.ok(pictures.bottom <= control.top, `${pictures.bottom} is below the slider at ${control.top}`);
  assert.ok(control.bottom < 846, `the slider ends at ${control.bottom}`);
  await page.evaluate(() => {
    document.activeElement.blur();
  });
  keepShot("page-slider-390-light", await page.screenshot());
});
