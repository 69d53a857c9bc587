/** The page itself: controls, saving, broken models, looks. */

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { MODEL } from "./native.mjs";
import { withMetadata } from "./safetensors.mjs";
import { draw, openSite, pixels, skip } from "./site.mjs";

const LIMIT = { skip, timeout: 120_000 };
const shot = (name) => {
  const folder = fileURLToPath(new URL("shots/", import.meta.url));
  mkdirSync(folder, { recursive: true });
  return { path: `${folder}${name}.png`, fullPage: true };
};

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
  assert.deepEqual((await pixels(page)).slice(0, 3), first);
  await draw(page, request);
  assert.deepEqual(await pixels(page), first);

  await page.getByRole("button", { name: "New seed" }).click();
  await page.waitForFunction(() => !document.querySelector("img").alt.includes("seed 3,"));
  assert.deepEqual(errors, []);
});

test("a seed that is none keeps the pictures and is marked", LIMIT, async (t) => {
  const { page, address } = await openSite(t);
  await page.goto(address);
  await draw(page, { className: "Bag", truncation: 1, seed: 3, count: 2 });
  const seed = page.getByRole("spinbutton", { name: "Seed" });
  for (const wrong of ["-1", "1.5", ""]) {
    await seed.fill(wrong);
    assert.equal(await seed.evaluate((input) => input.matches(":invalid")), true, wrong);
  }
  assert.equal((await pixels(page)).length, 2);
  await draw(page, { className: "Bag", truncation: 1, seed: 5, count: 2 });
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
    says: /its format is "pt", expected "biggan"/,
  },
  {
    name: "of another version",
    body: () => Buffer.from(withMetadata({ format: "biggan", format_version: "99" })),
    says: /format_version is 99, this program reads "1"/,
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

const LOOKS = [
  { name: "desktop-light", width: 1280, height: 800, colorScheme: "light" },
  { name: "desktop-dark", width: 1280, height: 800, colorScheme: "dark" },
  { name: "phone-light", width: 390, height: 844, colorScheme: "light" },
  { name: "wide-dark", width: 2560, height: 1300, colorScheme: "dark" },
];

for (const { name, width, height, colorScheme } of LOOKS) {
  test(`looks: ${name}`, LIMIT, async (t) => {
    const { page, address } = await openSite(t, { viewport: { width, height }, colorScheme });
    await page.goto(address);
    await draw(page, { className: "Sneaker", truncation: 1, seed: 1, count: 16 });
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    assert.equal(overflow, 0, "the page scrolls sideways");
    await page.evaluate(() => document.activeElement.blur());
    await page.screenshot(shot(name));
  });
}
