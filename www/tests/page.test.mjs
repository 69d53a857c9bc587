/** The page itself: controls, saving, broken models. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { MODEL } from "./native.mjs";
import { THOUSAND, withClasses } from "./page-models.mjs";
import { withMetadata } from "./safetensors.mjs";
import { chooseClass, draw, drawn, openSite, OWN, pixels, settled, skip } from "./site.mjs";
import { assertSame } from "./pixels.mjs";

const LIMIT = { skip, timeout: 120_000 };
/** The least that are searched instead of shown. */
const MANY = ["T-shirt", "Handbag", ...THOUSAND.slice(0, 15)];

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
  assert.deepEqual(errors, []);
});

test("New pictures are always new: of another seed, and of the same if the visitor locks it", LIMIT, async (t) => {
  const { page, address } = await openSite(t);
  await page.goto(`${address}#class=3&n=4`);
  const [seed, lock, renew] = [
    page.getByRole("spinbutton", { name: "Seed" }),
    page.getByRole("button", { name: "Lock seed" }),
    page.getByRole("button", { name: "New pictures" }),
  ];
  await drawn(page, "Dress, seed 1, truncation 1", 4);
  await renew.click();
  assert.notEqual(await seed.inputValue(), "1");
  // typing does not lock
  await seed.fill("77");
  await drawn(page, "Dress, seed 77, truncation 1", 4);
  assert.equal(await lock.getAttribute("aria-pressed"), "false");
  const first = await pixels(page);
  await lock.click();
  await renew.click();
  const alts = () => page.locator("#samples img").evaluateAll((images) => images.map(({ alt }) => alt));
  await page.waitForFunction(() => document.querySelector("#samples img").alt.includes("sample 5,"));
  await settled(page, "Samples");
  assert.deepEqual(await alts(), [5, 6, 7, 8].map((n) => `Dress, seed 77, sample ${n}, truncation 1`));
  const second = await pixels(page);
  assert.ok(second.every((picture, index) => picture.join() !== first[index].join()));
  await page.waitForFunction(() => location.hash.includes("seed=77&index=4"));
  await page.reload();
  await settled(page, "Samples");
  assertSame(await pixels(page), second);
  // a count that is none stops nothing
  await page.getByRole("spinbutton", { name: "Count" }).fill("");
  await renew.click();
  await page.waitForFunction(() => !document.querySelector("#samples img").alt.includes("seed 77,"));
  // and every class anew
  await page.getByRole("button", { name: "All classes" }).click();
  await settled(page, "Samples");
  const overview = await pixels(page);
  await lock.click();
  await renew.click();
  await page.waitForFunction((old) => document.querySelector("#samples img").alt !== old, (await alts())[0]);
  await settled(page, "Samples");
  assert.ok((await pixels(page)).every((picture, index) => picture.join() !== overview[index].join()));
});

test("first one picture of each class, then the class that is chosen", LIMIT, async (t) => {
  const { page, errors, address } = await openSite(t, { folded: true, own: true });
  await page.goto(address);
  await settled(page, "Samples");
  const chips = page.getByRole("list", { name: "Classes", exact: true }).getByRole("button");
  const names = await chips.evaluateAll((buttons) => buttons.map((button) => button.getAttribute("aria-label")));
  const alts = () => page.locator("#samples img").evaluateAll((images) => images.map(({ alt }) => alt));
  assert.equal(names.length, OWN.classes);
  assert.deepEqual(await alts(), names.map((name) => `${name}, seed 1, sample 1, truncation 1`));
  // a thumbnail is the picture of the overview
  const shown = (selector) => page.locator(selector).evaluateAll((images) => images.map(({ src }) => src));
  assert.deepEqual(await shown("#class-chips img"), await shown("#samples img"));
  const pressed = () => page.locator("#chips [aria-pressed=true]").evaluateAll((all) => all.map((one) => one.getAttribute("aria-label")));
  assert.deepEqual(await pressed(), ["All classes"]);

  const ninth = (await pixels(page))[8];
  await page.getByRole("button", { name: "Choose picture 9", exact: true }).click();
  await drawn(page, `${names[8]}, seed 1, truncation 1`, 16);
  assertSame((await pixels(page))[0], ninth);
  assert.deepEqual(await pressed(), [names[8]]);
  await page.waitForFunction(() => location.hash.includes("class=8&"));
  await page.getByRole("button", { name: "All classes" }).click();
  await settled(page, "Samples");
  assert.equal((await alts()).length, names.length);
  await page.waitForFunction(() => location.hash.includes("class=all:8&"));
  assert.equal(await page.getByRole("button", { name: "Choose picture 9" }).getAttribute("aria-pressed"), "true");
  // the chips of other views choose the class there
  await page.getByRole("tab", { name: "Breeding" }).click();
  await chooseClass(page, names[4]);
  await page.waitForFunction((name) => document.querySelector("#children img")?.alt.includes(name), names[4]);
  await page.getByRole("button", { name: "All classes" }).click();
  await page.waitForFunction((count) => document.querySelectorAll("#samples img").length === count, names.length);
  assert.equal(await page.getByRole("tab", { name: "Samples" }).getAttribute("aria-selected"), "true");
  assert.deepEqual(errors, []);
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
  // no chips but that of the overview, which shows classes from all over the list
  assert.equal(await page.locator("#chips button").count(), 1);
  const texts = await page.locator("#samples img").evaluateAll((images) => images.map(({ alt }) => alt.split(", seed")[0]));
  assert.deepEqual(texts, Array.from({ length: 16 }, (_, at) => THOUSAND[1 + Math.floor((at * 1000) / 16)]));
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

test("what is typed after a click replaces the class, also where the click moves the caret", LIMIT, async (t) => {
  const { page, address } = await openSite(t);
  await page.route("**/models/*", (route) => route.fulfill({ body: withClasses(MANY) }));
  await page.goto(address);
  await settled(page, "Samples");
  const field = page.getByRole("combobox", { name: "Class", exact: true });
  // as WebKit: the focus comes before, the caret after
  await field.evaluate((input) => input.addEventListener("mouseup", () => input.setSelectionRange(5, 5)));
  await field.click();
  await page.keyboard.type("handbag");
  assert.equal(await field.inputValue(), "handbag");
  // a click in what was typed keeps it, and what was found
  await field.click();
  assert.deepEqual(await page.getByRole("option").allTextContents(), ["Handbag"]);
  await field.press("Enter");
  await drawn(page, "Handbag, seed 1, truncation 1", 16);
});

test("the Enter that ends a composition takes no class", LIMIT, async (t) => {
  const { page, address } = await openSite(t);
  await page.route("**/models/*", (route) => route.fulfill({ body: withClasses(MANY) }));
  await page.goto(address);
  await settled(page, "Samples");
  const field = page.getByRole("combobox", { name: "Class", exact: true });
  await field.fill("handbag");
  // as Chromium and Firefox, and as WebKit
  for (const options of [{ isComposing: true }, { keyCode: 229 }]) {
    await field.dispatchEvent("keydown", { key: "Enter", bubbles: true, ...options });
    assert.equal(await field.getAttribute("aria-expanded"), "true");
  }
  await field.press("Enter");
  await drawn(page, "Handbag, seed 1, truncation 1", 16);
});

test("a list of classes listens to the window only while it is open", LIMIT, async (t) => {
  const { page, address } = await openSite(t);
  await page.route("**/models/*", (route) => route.fulfill({ body: withClasses(MANY) }));
  await page.goto(address);
  await settled(page, "Samples");
  const devtools = await page.context().newCDPSession(page);
  const count = async () => {
    const { result } = await devtools.send("Runtime.evaluate", { expression: "window" });
    const { listeners } = await devtools.send("DOMDebugger.getEventListeners", { objectId: result.objectId });
    return listeners.filter(({ type }) => type === "resize" || type === "scroll").length;
  };
  const before = await count();
  const field = page.getByRole("combobox", { name: "Class", exact: true });
  await field.click();
  assert.equal(await count(), before + 2);
  await field.press("Escape");
  await page.getByRole("button", { name: "Mix in a class" }).click();
  await page.getByRole("button", { name: "Remove Handbag" }).click();
  assert.equal(await count(), before);
});

test("the list of classes stays inside a low window", LIMIT, async (t) => {
  const { page, address } = await openSite(t, { viewport: { width: 320, height: 256 } });
  await page.route("**/models/*", (route) => route.fulfill({ body: withClasses(MANY) }));
  await page.goto(address);
  await settled(page, "Samples");
  const field = page.getByRole("combobox", { name: "Class", exact: true });
  for (const block of ["start", "center", "end"]) {
    await field.evaluate((input, block) => input.scrollIntoView({ block }), block);
    await field.click();
    const { top, bottom } = await page.locator(".options:popover-open").evaluate((list) => list.getBoundingClientRect().toJSON());
    assert.ok(top >= 0 && bottom <= 256, `from ${top} to ${bottom} with the field at the ${block}`);
    await field.press("Escape");
  }
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
    const first = await page.locator("#samples img").first().getAttribute("src");
    await slider.fill("0.8");
    await page.waitForFunction((first) => document.querySelector("#samples img").src !== first, first);
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
  await chooseClass(page, "T-shirt/top");
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

test("hundreds of pictures take a bounded number of files, and those in sight stay", LIMIT, async (t) => {
  const { page, address } = await openSite(t);
  await page.addInitScript(() => {
    window.files = new Set();
    const { createObjectURL, revokeObjectURL } = URL;
    URL.createObjectURL = (file) => {
      const url = createObjectURL(file);
      files.add(url);
      return url;
    };
    URL.revokeObjectURL = (url) => {
      files.delete(url);
      revokeObjectURL(url);
    };
  });
  await page.goto(address);
  for (let seed = 1; seed <= 7; seed++) await draw(page, { className: "Coat", truncation: 1, seed, count: 64 });
  const [kept, shown] = await page.evaluate(() => {
    const images = [...document.querySelectorAll("#samples img")];
    return [files.size, images.filter(({ src }) => files.has(src)).length];
  });
  assert.ok(kept <= 256, `${kept} files for 448 pictures`);
  assert.equal(shown, 64);
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
    "biggan-samples-t-shirt-top-seed-7-truncation-0.5.png",
  );
  const png = readFileSync(await download.path());
  assert.equal(png.toString("latin1", 1, 4), "PNG");
  // three columns and two rows of 32 pixels, with margins of 2, enlarged to 1,024 pixels at least
  const factor = Math.ceil(1024 / (2 * 34 + 2));
  assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [factor * (3 * 34 + 2), factor * (2 * 34 + 2)]);
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
