/** The page itself: controls, saving, broken models. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { MODEL } from "./native.mjs";
import { THOUSAND, withClasses } from "./page-models.mjs";
import { withMetadata } from "./safetensors.mjs";
import { chooseClass, draw, drawn, openSite, pixels, settled, skip } from "./site.mjs";
import { assertSame } from "./pixels.mjs";

const LIMIT = { skip, timeout: 120_000 };

test("every control draws anew, and a seed repeats", LIMIT, async (t) => {
  const { page, errors, address } = await openSite(t);
  await page.goto(address);
  const request = { className: "Bag", truncation: 1, seed: 3, count: 3 };
  await draw(page, request);
  const first = await pixels(page);
  for (const change of [{ className: "Coat" }, { truncation: 0.5 }, { seed: 4 }]) {
    await draw(page, { ...request, ...change });
    assert.notDeepEqual(await pixels(page), first, JSON.stringify(change));
  }
  // a sample does not depend on how many are asked for
  await draw(page, { ...request, count: 5 });
  assertSame((await pixels(page)).slice(0, 3), first);
  await draw(page, request);
  assertSame(await pixels(page), first);

  await page.getByRole("button", { name: "New seed" }).click();
  await page.waitForFunction(() => !document.querySelector("img").alt.includes("seed 3,"));
  assert.deepEqual(errors, []);
});

test("Sample takes a new seed, unless the seed is locked", LIMIT, async (t) => {
  const { page, address } = await openSite(t);
  await page.goto(address);
  const [seed, lock, sample] = [
    page.getByRole("spinbutton", { name: "Seed" }),
    page.getByRole("button", { name: "Lock seed" }),
    page.getByRole("button", { name: "Sample" }),
  ];
  await settled(page, "Samples");
  assert.equal(await lock.getAttribute("aria-pressed"), "false");
  await sample.click();
  assert.notEqual(await seed.inputValue(), "1");
  // a seed that was typed is meant
  await seed.fill("77");
  assert.equal(await lock.getAttribute("aria-pressed"), "true");
  await sample.click();
  await drawn(page, "T-shirt/top, seed 77, truncation 1", 16);
  await lock.click();
  await sample.click();
  assert.notEqual(await seed.inputValue(), "77");
});

test("a seed that is none keeps the pictures and is marked", LIMIT, async (t) => {
  const { page, address } = await openSite(t);
  await page.goto(address);
  await draw(page, { className: "Bag", truncation: 1, seed: 3, count: 2 });
  const seed = page.getByRole("spinbutton", { name: "Seed" });
  for (const wrong of ["-1", "1.5", "", "1e3", "18446744073709551616"]) {
    await seed.fill(wrong);
    assert.equal(await seed.evaluate((input) => input.matches(":invalid")), true, wrong);
  }
  assert.equal((await pixels(page)).length, 2);
  // the largest seed is beyond JavaScript's numbers
  await draw(page, { className: "Bag", truncation: 1, seed: "18446744073709551615", count: 2 });
});

test("a class is found by keyboard among 1,000", LIMIT, async (t) => {
  const { page, address } = await openSite(t);
  await page.route("**/models/*", (route) => route.fulfill({ body: withClasses(THOUSAND) }));
  await page.goto(address);
  await settled(page, "Samples");
  const field = page.getByRole("combobox", { name: "Class", exact: true });
  const options = page.getByRole("option");
  const active = async () => {
    const id = await field.getAttribute("aria-activedescendant");
    return id && page.locator(`[id="${id}"]`).textContent();
  };
  await field.focus();
  assert.equal(await field.getAttribute("aria-expanded"), "false");
  await field.press("ArrowDown");
  assert.equal(await field.getAttribute("aria-expanded"), "true");
  assert.equal(await options.count(), 1000);
  assert.equal(await active(), THOUSAND[0]);
  for (const key of ["ArrowDown", "PageDown", "ArrowUp"]) await field.press(key);
  assert.equal(await active(), THOUSAND[8]);

  await field.fill("garden sharx");
  assert.match(await active(), /^garden shark/);
  await field.press("Escape");
  assert.equal(await field.inputValue(), THOUSAND[0]);
  assert.equal(await field.getAttribute("aria-expanded"), "false");

  await field.fill("xyzzy");
  assert.equal(await page.getByText("No class matches “xyzzy”.").first().isVisible(), true);
  assert.equal(await active(), null);
  await field.press("Enter");
  assert.equal(await page.getByRole("option").count(), 0);

  await field.fill("marsh robin, kind 7");
  await field.press("Enter");
  const index = THOUSAND.indexOf("marsh robin, kind 7");
  await drawn(page, "marsh robin, kind 7, seed 1, truncation 1", 16);
  assert.match(page.url(), /#/);
  await page.waitForFunction((index) => location.hash.includes(`class=${index}&`), index);
  // by number, and by pointer
  await chooseClass(page, "733");
  await drawn(page, `${THOUSAND[733]}, seed 1, truncation 1`, 16);
  await field.click();
  await options.filter({ hasText: THOUSAND[735] }).click();
  await drawn(page, `${THOUSAND[735]}, seed 1, truncation 1`, 16);
});

test("up to four classes mix by weight", LIMIT, async (t) => {
  const { page, errors, address } = await openSite(t);
  await page.goto(address);
  await draw(page, { className: "Dress", truncation: 1, seed: 5, count: 2 });
  const dress = await pixels(page);
  const add = page.getByRole("button", { name: "Mix in a class" });
  await add.click();
  const mixed = page.getByRole("combobox", { name: "Mixed in, 2" });
  await mixed.fill("Bag");
  await mixed.press("Enter");
  await page.getByRole("slider", { name: "Weight of Bag" }).fill("25");
  await drawn(page, "Dress 80 %, Bag 20 %, seed 5, truncation 1", 2);
  assert.notDeepEqual(await pixels(page), dress);
  for (let more = 0; more < 2; more++) await add.click();
  assert.equal(await add.isDisabled(), true);
  assert.equal(await page.getByRole("slider", { name: /^Weight of/ }).count(), 4);
  for (const name of ["T-shirt/top", "Trouser", "Bag"]) {
    await page.getByRole("button", { name: `Remove ${name}` }).click();
  }
  await drawn(page, "Dress, seed 5, truncation 1", 2);
  assertSame(await pixels(page), dress);
  assert.deepEqual(errors, []);
});

test("the chunks of z turn one by one, and back", LIMIT, async (t) => {
  const { page, address } = await openSite(t);
  await page.goto(address);
  const request = { className: "Shirt", truncation: 1, seed: 5, count: 2 };
  await draw(page, request);
  const before = await pixels(page);
  for (const name of ["Layout", "Shape", "Detail", "Texture"]) {
    const slider = page.getByRole("slider", { name });
    assert.deepEqual(await slider.evaluate(({ min, max, value }) => [min, max, value]), ["-1", "1", "0"]);
    await slider.fill("0.8");
    await page.waitForFunction((first) => document.querySelector("#samples img").src !== first, await page
      .locator("#samples img").first().getAttribute("src"));
    await settled(page, "Samples");
    assert.notDeepEqual(await pixels(page), before, name);
    await page.getByRole("button", { name: "Reset fine control" }).click();
    await draw(page, request);
    assertSame(await pixels(page), before);
  }
});

test("the truncation slider has the model's range and marks", LIMIT, async (t) => {
  const { page, address } = await openSite(t);
  await page.goto(address);
  await settled(page, "Samples");
  const slider = page.getByRole("slider", { name: "Truncation" });
  assert.deepEqual(await slider.evaluate(({ min, max }) => [min, max]), ["0.01", "2"]);
  const marks = await page.locator("#truncation-ticks span").evaluateAll((ticks) =>
    ticks.map((tick) => Number(getComputedStyle(tick).getPropertyValue("--at"))),
  );
  assert.equal(marks.length, 13);
  // the first is at 0.04 and the last at 2
  assert.ok(Math.abs(marks[0] - 0.03 / 1.99) < 1e-9 && marks.at(-1) === 1);
  await page.getByRole("checkbox", { name: "Truncation off" }).check();
  assert.equal(await slider.isDisabled(), true);
  await drawn(page, "T-shirt/top, seed 1, truncation off", 16);
});

test("a dragged slider shows the newest request, and 64 pictures come", LIMIT, async (t) => {
  const { page, errors, address } = await openSite(t);
  await page.goto(address);
  await draw(page, { className: "Coat", truncation: 1, seed: 2, count: 64 });
  const slider = page.getByRole("slider", { name: "Truncation" });
  await page.evaluate(() => {
    window.longest = 0;
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) window.longest = Math.max(window.longest, duration);
    }).observe({ type: "longtask" });
  });
  await page.waitForFunction(() => location.hash.includes("class=4&seed=2&t=1&n=64"));
  const entries = await page.evaluate(() => history.length);
  const started = Date.now();
  await slider.evaluate(async (input) => {
    for (let step = 0; step <= 40; step++) {
      input.value = String(0.2 + step * 0.01);
      input.dispatchEvent(new Event("input", { bubbles: true }));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  });
  await drawn(page, "Coat, seed 2, truncation 0.6", 64);
  t.diagnostic(`41 requests of 64 pictures in 0.4 s: the last was there after ${Date.now() - started} ms`);
  // the page itself computes nothing: it stays free for the visitor
  const longest = await page.evaluate(() => window.longest);
  t.diagnostic(`longest task of the page ${longest} ms`);
  assert.ok(longest < 250, `${longest} ms`);
  // one gesture is one entry of the history
  await page.waitForFunction(() => location.hash.includes("t=0.6&"));
  assert.equal(await page.evaluate(() => history.length), entries + 1);
  assert.deepEqual(errors, []);
});

test("the sheet is saved as a PNG", LIMIT, async (t) => {
  const { page, address } = await openSite(t);
  await page.goto(address);
  await draw(page, { className: "T-shirt/top", truncation: 0.5, seed: 7, count: 5 });
  const downloading = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save PNG" }).click();
  const download = await downloading;
  assert.equal(
    download.suggestedFilename(),
    "biggan-t-shirt-top-seed-7-truncation-0.5.png",
  );
  const png = readFileSync(await download.path());
  assert.equal(png.toString("latin1", 1, 4), "PNG");
  // three columns and two rows of 32 pixels, with margins of 2
  assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [3 * 34 + 2, 2 * 34 + 2]);
});

const whole = () => readFileSync(MODEL);
const BROKEN_MODELS = [
  { name: "cut short", body: () => whole().subarray(0, 5000), says: /not a whole safetensors/i },
  {
    name: "of another format",
    body: () => Buffer.from(withMetadata({ format: "pt" })),
    says: /format is "pt", expected "biggan"/,
  },
  {
    name: "of another version",
    body: () => Buffer.from(withMetadata({ format: "biggan", format_version: "99" })),
    says: /format_version is 99, expected 1/,
  },
  { name: "missing", status: 404, body: () => "", says: /the server answered 404/ },
];

for (const { name, status = 200, body, says } of BROKEN_MODELS) {
  test(`a model that is ${name} gets a clear message`, LIMIT, async (t) => {
    const { page, address } = await openSite(t);
    await page.route("**/models/*", (route) => route.fulfill({ status, body: body() }));
    await page.goto(address);
    const alert = page.getByRole("alert");
    await alert.waitFor();
    assert.match(await alert.textContent(), says);
    assert.match(await page.getByRole("status").textContent(), /Not started/);
  });
}
