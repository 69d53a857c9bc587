/** The views of the page: between two pictures, the row of truncations, breeding. */

import assert from "node:assert/strict";
import test from "node:test";
import { chooseClass, draw, drawn, openSite, pixels, settled, skip } from "./site.mjs";
import { assertSame } from "./pixels.mjs";

const LIMIT = { skip, timeout: 120_000 };
const DRESS = { className: "Dress", truncation: 1, seed: 7, count: 4 };

const open = (page, name) => page.getByRole("tab", { name }).click();
const choose = (page, number) => page.getByRole("button", { name: `Choose picture ${number}`, exact: true }).click();
/** What the canvas of the loop shows. */
const frame = (page) =>
  page.locator("#loop").evaluate((canvas) => {
    const { width, height } = canvas;
    return canvas.getContext("2d").getImageData(0, 0, width, height).data.join();
  });

test("two pictures of two classes are picked and the way between them is drawn", LIMIT, async (t) => {
  const { page, errors, address } = await openSite(t, { reducedMotion: "reduce" });
  await page.goto(address);
  await draw(page, DRESS);
  await choose(page, 3);
  await page.getByRole("button", { name: "Set as end B", exact: true }).click();
  const dresses = await pixels(page);
  await draw(page, { ...DRESS, className: "Bag", seed: 8 });
  await choose(page, 2);
  const bags = await pixels(page);
  assert.equal((await pixels(page, "Ends")).length, 2);

  await page.getByRole("spinbutton", { name: "Count" }).fill("6");
  await open(page, "Between");
  const way = await settled(page, "Interpolation");
  const strip = await pixels(page, "Interpolation");
  assert.equal(strip.length, 6);
  assert.deepEqual(strip[0], bags[1]);
  assert.deepEqual(strip[5], dresses[2]);
  assert.equal(await way.getByRole("img").first().getAttribute("alt"), "Bag, seed 8, sample 2, truncation 1");
  assert.equal(await way.getByRole("img").last().getAttribute("alt"), "Dress, seed 7, sample 3, truncation 1");

  await page.getByRole("button", { name: "Swap ends" }).click();
  await page.waitForFunction(() => document.querySelector("#way img").alt.startsWith("Dress"));
  await settled(page, "Interpolation");
  const swapped = await pixels(page, "Interpolation");
  assert.deepEqual(swapped[0], strip[5]);
  assert.deepEqual(swapped[5], strip[0]);
  assert.deepEqual(errors, []);
});

test("the loop waits where motion is to be reduced, and plays at a chosen speed", LIMIT, async (t) => {
  const { page, address } = await openSite(t, { reducedMotion: "reduce" });
  await page.goto(`${address}#view=between&n=8&class=3&seed=2`);
  await settled(page, "Interpolation");
  const still = await frame(page);
  await page.waitForTimeout(500);
  assert.equal(await frame(page), still);
  const speed = page.getByRole("slider", { name: "Speed" });
  await speed.fill("30");
  assert.equal(await speed.getAttribute("aria-valuetext"), "30 pictures a second");
  // the track is filled to the thumb
  for (const [value, fill] of [["30", 1], ["1", 0], ["8", 7 / 29]]) {
    await speed.fill(value);
    assert.equal(Number(await speed.evaluate(({ style }) => style.getPropertyValue("--fill"))), fill);
  }
  await speed.fill("30");
  await page.getByRole("button", { name: "Play" }).click();
  const seen = new Set();
  for (let look = 0; look < 20; look++) seen.add(await frame(page));
  assert.ok(seen.size > 2, `${seen.size} frames`);
  await page.getByRole("button", { name: "Pause" }).click();
  const paused = await frame(page);
  await page.waitForTimeout(300);
  assert.equal(await frame(page), paused);
});

test("the loop starts by itself where motion is welcome", LIMIT, async (t) => {
  const { page, address } = await openSite(t, { reducedMotion: "no-preference" });
  await page.goto(`${address}#view=between&n=8&class=3&seed=2`);
  await settled(page, "Interpolation");
  assert.equal(await page.getByRole("button", { name: "Pause" }).isVisible(), true);
  const first = await frame(page);
  await page.waitForFunction(
    (first) => {
      const canvas = document.querySelector("#loop");
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return data.join() !== first;
    },
    first,
    { timeout: 5000 },
  );
});

test("one z under the paper's truncations", LIMIT, async (t) => {
  const { page, errors, address } = await openSite(t);
  await page.goto(address);
  await draw(page, { ...DRESS, truncation: 0.5 });
  const half = await pixels(page);
  await choose(page, 2);
  await open(page, "Truncations");
  const row = await settled(page, "Truncations");
  const alts = await row.getByRole("img").evaluateAll((images) => images.map(({ alt }) => alt));
  assert.deepEqual(alts, ["2", "1.5", "1", "0.5", "0.04"].map((t) => `Dress, seed 7, sample 2, truncation ${t}`));
  // the row is the paper's
  assert.equal(await page.getByRole("spinbutton", { name: "Count" }).isDisabled(), true);
  const pictures = await pixels(page, "Truncations");
  assertSame(pictures[3], half[1]);
  await page.getByRole("button", { name: "Use truncation 1.5" }).click();
  await open(page, "Samples");
  await drawn(page, "Dress, seed 7, truncation 1.5", 4);
  assertSame((await pixels(page))[1], pictures[1]);
  assert.deepEqual(errors, []);
});

test("breeding goes down and back up", LIMIT, async (t) => {
  const { page, errors, address } = await openSite(t);
  await page.goto(address);
  await draw(page, DRESS);
  await choose(page, 2);
  const founder = (await pixels(page))[1];
  await open(page, "Breeding");
  await settled(page, "Children");
  const first = await pixels(page, "Children");
  assert.equal(first.length, 4);

  const parent = async (generations) => {
    await page.waitForFunction(
      (count) => document.querySelectorAll("#lineage img").length === count,
      generations,
    );
    await settled(page, "Children");
    return (await pixels(page, "Lineage")).at(-1);
  };
  await page.getByRole("button", { name: "Breed from child 3" }).click();
  assertSame(await parent(2), first[2]);
  await page.getByRole("button", { name: "Other children" }).click();
  await settled(page, "Children");
  const grandchildren = await pixels(page, "Children");
  await page.getByRole("button", { name: "Breed from child 1" }).click();
  assertSame(await parent(3), grandchildren[0]);
  assertSame((await pixels(page, "Lineage"))[0], founder);

  await page.getByRole("button", { name: "Go back to generation 1" }).click();
  assertSame(await parent(2), first[2]);
  await page.getByRole("button", { name: "Go back to generation 0" }).click();
  assertSame(await parent(1), founder);
  assert.deepEqual(errors, []);
});

test("each picture has a text of its own", LIMIT, async (t) => {
  const { page, address } = await openSite(t);
  for (const [view, list, first] of [
    ["samples", "Samples", "Dress, seed 7, sample 1, truncation 1"],
    ["between", "Interpolation", "Dress, seed 7, sample 1, truncation 1"],
    ["breeding", "Children", "Child 1 of Dress, seed 7, sample 1, truncation 1"],
  ]) {
    await page.goto("about:blank");
    await page.goto(`${address}#class=3&seed=7&n=16&view=${view}`);
    await settled(page, list);
    const alts = await page.getByRole("list", { name: list }).getByRole("img").evaluateAll((images) => images.map(({ alt }) => alt));
    assert.equal(alts[0], first);
    assert.equal(new Set(alts).size, 16);
  }
});

test("a tab that was touched looks as one that is selected", LIMIT, async (t) => {
  const { page, address } = await openSite(t, { hasTouch: true, isMobile: true, viewport: { width: 390, height: 844 } });
  await page.goto(address);
  await settled(page, "Samples");
  const [samples, breeding] = [page.getByRole("tab", { name: "Samples" }), page.getByRole("tab", { name: "Breeding" })];
  const ground = (tab) => tab.evaluate((button) => getComputedStyle(button).backgroundColor);
  const selected = await ground(samples);
  await breeding.tap();
  await settled(page, "Children");
  await page.waitForTimeout(300);
  assert.equal(await ground(breeding), selected);
});

test("tabs and pictures work by keyboard", LIMIT, async (t) => {
  // four rows of four
  const { page, address } = await openSite(t, { viewport: { width: 1280, height: 1000 } });
  await page.goto(`${address}#class=0`);
  await settled(page, "Samples");
  await page.getByRole("tab", { name: "Samples" }).focus();
  await page.keyboard.press("ArrowRight");
  assert.equal(await page.getByRole("tab", { name: "Between" }).getAttribute("aria-selected"), "true");
  await page.keyboard.press("End");
  assert.equal(await page.getByRole("tabpanel", { name: "Breeding" }).isVisible(), true);
  await page.keyboard.press("Home");
  const focused = () => page.evaluate(() => document.activeElement.getAttribute("aria-label"));
  await page.getByRole("button", { name: "Choose picture 1", exact: true }).focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowDown");
  assert.equal(await focused(), "Choose picture 6");
  await page.keyboard.press("Enter");
  const sixth = page.getByRole("button", { name: "Choose picture 6" });
  assert.equal(await sixth.getAttribute("aria-pressed"), "true");
  await page.keyboard.press("End");
  assert.equal(await focused(), "Choose picture 16");
  // one stop of the tab key for all pictures
  assert.equal(await page.locator("#samples button[tabindex='0']").count(), 1);
  await chooseClass(page, "Bag");
});
