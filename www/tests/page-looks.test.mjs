/** Pictures of the page at three widths, light and dark, which are looked at and kept in `shots/`. */

import assert from "node:assert/strict";
import test from "node:test";
import { THOUSAND, withClasses } from "./page-models.mjs";
import { keepShot } from "./shots.mjs";
import { drawn, openSite, OWN, settled, skip } from "./site.mjs";

const LIMIT = { skip, timeout: 120_000 };
const SIZES = { 390: 844, 1280: 800, 2560: 1300 };

const VIEWS = [
  ["samples", "Samples", ""],
  ["mix", "Samples", "class=4:60,7:40&seed=12&z=0,0.5,-0.75,0.2,0&t=0.7&n=36"],
  ["between", "Interpolation", "class=4&seed=4&n=16&view=between&to.class=8&to.seed=9"],
  ["truncations", "Truncations", "class=7&seed=12&view=truncations"],
  ["breeding", "Children", "class=1&seed=5&index=2&steps=2:0.25,9:0.25,4:0.25&view=breeding&n=12&size=0.35"],
];

for (const colorScheme of ["light", "dark"]) {
  test(`looks: ${colorScheme}`, LIMIT, async (t) => {
    const { page, errors, address } = await openSite(t, { colorScheme, reducedMotion: "reduce", folded: true, own: true });
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

for (const [width, height] of Object.entries(SIZES)) {
  test(`the first screen at ${width} x ${height} has what a visitor needs`, LIMIT, async (t) => {
    const { page, address } = await openSite(t, { viewport: { width: Number(width), height }, folded: true, own: true });
    const isWhole = async (classes) => {
      await page.goto(address);
      await settled(page, "Samples");
      const below = await page.evaluate(() =>
        ["#samples li", "#every-class", "#class-chips li", "button.primary", "#truncation", ".ends"]
          .flatMap((selector) => [...document.querySelectorAll(selector)])
          .filter((element) => element.getBoundingClientRect().bottom > innerHeight)
          .map((element) => element.id || element.textContent),
      );
      assert.deepEqual(below, []);
      assert.equal(await page.locator("#samples img").count(), classes);
    };
    await isWhole(OWN.classes);
    // as many classes as have chips
    const names = Array.from({ length: 16 }, (_, index) => `Class of number ${index + 1}`);
    await page.route("**/models/*", (route) => route.fulfill({ body: withClasses(names) }));
    await isWhole(names.length);
    assert.equal(await page.getByRole("spinbutton").count(), 0, "details are folded");
    // the line of chips shows the chosen one
    await page.goto(`${address}#class=9`);
    await drawn(page, "Class of number 10, seed 1, truncation 1", 16);
    const chosen = await page.locator("#class-chips li").nth(9).evaluate((chip) => chip.getBoundingClientRect().toJSON());
    assert.ok(chosen.left >= 0 && chosen.right <= Number(width), `the chosen chip is from ${chosen.left} to ${chosen.right}`);
    // a chip out of sight comes into it by the keyboard
    await page.locator("#class-chips button").first().focus();
    await page.keyboard.press("End");
    const { right } = await page.locator("#class-chips li").last().evaluate((chip) => chip.getBoundingClientRect().toJSON());
    assert.ok(right <= Number(width), `the last chip ends at ${right}`);
  });
}

test("nothing is cut off at 320 pixels", LIMIT, async (t) => {
  const { page, address } = await openSite(t, { viewport: { width: 320, height: 640 }, own: true });
  for (const [, list, link] of VIEWS) {
    await page.goto("about:blank");
    await page.goto(`${address}#${link}`);
    await settled(page, list);
    const wide = await page.evaluate(() =>
      [...document.querySelectorAll("body *")]
        .filter((element) => element.checkVisibility() && !element.closest(".strip, .lineage, .chips, .unseen"))
        .filter((element) => element.getBoundingClientRect().right > 320.5 || element.matches("button") && element.scrollWidth > element.clientWidth)
        .map((element) => `${element.tagName} ${element.id} ${element.textContent.trim().slice(0, 40)}`),
    );
    assert.deepEqual(wide, [], link);
  }
});

test("in forced colours sliders, the selected tab and the chosen class are seen", LIMIT, async (t) => {
  for (const colorScheme of ["light", "dark"]) {
    const { page, address } = await openSite(t, { colorScheme, forcedColors: "active" });
    await page.route("**/models/*", (route) => route.fulfill({ body: withClasses(THOUSAND) }));
    await page.goto(address);
    await settled(page, "Samples");
    await page.getByRole("combobox", { name: "Class", exact: true }).click();
    const styles = await page.evaluate(() => {
      const ground = (selector) => getComputedStyle(document.querySelector(selector)).backgroundColor;
      return {
        tabs: [ground("#tab-samples"), ground("#tab-between")],
        options: [ground(".options li.active"), ground(".options li:not(.active)")],
      };
    });
    for (const [name, [one, other]] of Object.entries(styles)) assert.notEqual(one, other, name);
    // the tracks are pictures of two colours, which would be taken away
    const slider = await page.evaluate(() => {
      const style = getComputedStyle(document.querySelector("#truncation"));
      return [style.forcedColorAdjust, ...style.getPropertyValue("--track").match(/Highlight|CanvasText/g)];
    });
    assert.deepEqual(slider, ["none", "Highlight", "CanvasText"]);
  }
});

test("where more contrast is asked for, nothing is pale", LIMIT, async (t) => {
  const { page, address } = await openSite(t, { contrast: "more" });
  await page.goto(address);
  await settled(page, "Samples");
  const [text, ...others] = await page.evaluate(() => {
    const of = (selector, property) => getComputedStyle(document.querySelector(selector))[property];
    return [of("body", "color"), of("#status", "color"), of(".hint", "color"), of(".panel", "borderTopColor"), of("#seed", "borderTopColor")];
  });
  for (const other of others) assert.equal(other, text);
});

test("nothing moves while pictures come", LIMIT, async (t) => {
  const { page, address } = await openSite(t, { own: true });
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
    own: true,
  });
  await page.goto(`${address}#class=8&seed=5`);
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
