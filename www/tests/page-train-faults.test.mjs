/** The training view when something is wrong: a clear message, and the state of the training is kept. */

import assert from "node:assert/strict";
import test from "node:test";
import { buildWithFake } from "./fake-site.mjs";
import { openSite, skip } from "./site.mjs";
import { counts, folderOf, opened, paused, play, png, shapes, step, trainedTo } from "./train-page.mjs";

const LIMIT = { skip, timeout: 120_000 };
const outDir = skip ? "" : await buildWithFake();
const openPage = async (t, fake = "", options = {}) => {
  const site = await openSite(t, { outDir, ...options });
  return { ...site, address: `${site.address}train.html${fake && `?fake=${fake}`}` };
};
const hide = (page) =>
  page.evaluate(() => {
    Object.defineProperty(document, "visibilityState", { value: "hidden", configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  });

test("a page that is hidden is kept, and goes on after a reload", LIMIT, async (t) => {
  const { page, errors, address } = await openPage(t);
  await opened(page, address);
  await page.getByRole("checkbox", { name: "critters" }).check();
  await page.waitForFunction(() => document.querySelectorAll("#preview canvas").length === 3);
  await page.getByRole("spinbutton", { name: "Width" }).fill("12");
  await play(page).click();
  await trainedTo(page, 20);
  await hide(page);
  await page.getByText(/^Kept in this browser at/).waitFor();
  await page.reload();
  await page.getByText(/Your run is where you left it/).waitFor();
  const { g } = await counts(page);
  assert.ok(g >= 20, `${g} steps`);
  assert.equal(await page.getByRole("spinbutton", { name: "Width" }).inputValue(), "12");
  assert.equal(await page.getByRole("checkbox", { name: "critters" }).isChecked(), true);
  assert.match(await page.locator("#preview-words").textContent(), /^450 images .* 3 classes/);
  // the curves came back with it
  await page.getByRole("img", { name: /^Losses: D \d/ }).waitFor();
  assert.match(await page.locator("#status").textContent(), /^Paused/);
  await play(page).click();
  await trainedTo(page, g + 5);

  await page.getByRole("button", { name: "Start over" }).click();
  await page.waitForFunction(() => document.querySelector("#counts dd").textContent === "–");
  await page.reload();
  await opened(page, address);
  assert.equal(await page.getByText(/where you left it/).count(), 0);
  assert.deepEqual(errors, []);
});

test("a device that is lost sets the training back to its checkpoint and it goes on", LIMIT, async (t) => {
  const { page, errors, address } = await openPage(t, "lost");
  await opened(page, address);
  await play(page).click();
  await trainedTo(page, 10);
  await paused(page);
  await page.getByText(/^Kept in this browser at/).waitFor();
  await play(page).click();
  await page.getByText(/The device was lost\. .* in a new worker; \d+ steps were lost\./).waitFor();
  await trainedTo(page, 45);
  assert.deepEqual(errors, []);
});

test("a training that fails for good says so, and goes on from what was kept", LIMIT, async (t) => {
  const { page, errors, address } = await openPage(t, "broken");
  await opened(page, address);
  await play(page).click();
  await trainedTo(page, 5);
  await paused(page);
  await page.getByText(/^Kept in this browser at/).waitFor();
  const { g } = await counts(page);
  await play(page).click();
  await page.getByRole("alert").getByText("The worker has crashed, and so did starting it again.").waitFor();
  assert.match(await page.locator("#status").textContent(), /^Training has stopped/);
  assert.equal(await page.getByRole("button", { name: "Export the model" }).isDisabled(), true);
  await step(page, "G step").click();
  // one step after what was kept at Pause, or since
  await page.waitForFunction((g) => {
    const [, steps] = /^(\d+) steps of G, now$/.exec(document.querySelector("#timeline-value").textContent) ?? [];
    return steps > g && Number(steps) === Number(document.querySelector("#counts dd").textContent);
  }, g);
  await play(page).click();
  await trainedTo(page, 160);
  assert.deepEqual(errors, []);
});

test("a recipe that is too large is refused with the numbers", LIMIT, async (t) => {
  const { page, errors, address } = await openPage(t, "too-large");
  await opened(page, address);
  await play(page).click();
  await page.getByRole("alert").getByText("needs 5,100 MB, and the device has 4,096 MB").waitFor();
  assert.equal(await play(page).isDisabled(), false);
  assert.deepEqual(errors, []);
});

test("a checkpoint of another version is refused and the training stays", LIMIT, async (t) => {
  const { page, errors, address } = await openPage(t);
  await opened(page, address);
  await play(page).click();
  await trainedTo(page, 5);
  await paused(page);
  await page.getByText(/^Paused\./).waitFor();
  const before = await counts(page);
  await page.getByLabel("Load a checkpoint").setInputFiles({ name: "old.safetensors", mimeType: "", buffer: Buffer.from("x") });
  await page.getByRole("alert").getByText("The checkpoint is of version 9, this program reads version 1.").waitFor();
  assert.deepEqual(await counts(page), before);
  await play(page).click();
  await trainedTo(page, before.g + 3);
  assert.deepEqual(errors, []);
});

test("where storage is denied the training runs and says what to do", LIMIT, async (t) => {
  const { page, errors, address } = await openPage(t);
  await page.addInitScript(() => {
    CacheStorage.prototype.open = () => Promise.reject(new DOMException("denied", "SecurityError"));
  });
  await opened(page, address);
  await page.locator(".notice").getByText(/keeps no files for this page .* save the checkpoint yourself/).waitFor();
  await play(page).click();
  await trainedTo(page, 5);
  assert.deepEqual(errors, []);
});

test("where storage is full the training runs and the checkpoint before stays", LIMIT, async (t) => {
  const { page, errors, address } = await openPage(t);
  await opened(page, address);
  await play(page).click();
  await trainedTo(page, 5);
  await paused(page);
  await page.getByText(/^Kept in this browser at/).waitFor();
  const { g } = await counts(page);
  await page.evaluate(() => {
    Cache.prototype.put = () => Promise.reject(new DOMException("full", "QuotaExceededError"));
  });
  await play(page).click();
  await trainedTo(page, g + 5);
  await hide(page);
  await page.locator(".notice").getByText(/is full: the checkpoint and its images take .* MB/).waitFor();
  await trainedTo(page, g + 15);
  await page.reload();
  await page.getByText(/where you left it/).waitFor();
  assert.equal((await counts(page)).g, g);
  assert.deepEqual(errors, []);
});

test("a second tab leaves the first one's training alone", LIMIT, async (t) => {
  const { page, address } = await openPage(t);
  await opened(page, address);
  const other = await page.context().newPage();
  await opened(other, address);
  await other.locator(".notice").getByText(/another tab of this page stores its run/i).waitFor();
});

const BAD = [
  { name: "no images", files: { "a/readme.txt": "x", "b/notes.md": "y" }, says: /fault/i, begins: false },
  { name: "one class", files: Object.fromEntries(Object.entries(shapes(10)).filter(([path]) => path.startsWith("circles"))), says: /class/i },
  {
    name: "300 classes",
    files: Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`c${index}/a.png`, png(16, 16, (x) => [x, index % 256, 0])])),
    says: /300/,
    begins: false,
  },
  {
    name: "a picture of 10,000 by 10,000 pixels",
    files: { ...shapes(10), "circles/huge.png": png(10_000, 10_000, () => [1, 2, 3]) },
    says: /huge\.png/,
  },
  { name: "broken files", files: { ...shapes(10), "circles/x.png": png(16, 16, () => [0, 0, 9]).subarray(0, 60) }, says: /x\.png/ },
];

for (const { name, files, says, begins = true } of BAD) {
  test(`own images: ${name}`, LIMIT, async (t) => {
    const { page, errors, address } = await openPage(t);
    await opened(page, address);
    await play(page).click();
    await trainedTo(page, 5);
    await paused(page);
  await page.getByText(/^Paused\./).waitFor();
    const before = await counts(page);
    await page.getByRole("radio", { name: "Your images" }).check();
    await page.getByLabel("Folder").setInputFiles(folderOf(t, files));
    await page.waitForFunction(() => document.querySelector("#findings").children.length > 0);
    assert.match(await page.locator("#findings").textContent(), says);
    assert.equal(await page.getByText("Reset applies them").count(), begins ? 1 : 0);
    // the training that is there goes on
    assert.deepEqual(await counts(page), before);
    await play(page).click();
    await trainedTo(page, before.g + 3);
    assert.deepEqual(errors, []);
  });
}

test("a browser whose language is no language tag starts", LIMIT, async (t) => {
  const { page, errors, address } = await openPage(t);
  // as WebKitGTK with LANG=C
  await page.addInitScript(() => Object.defineProperty(Navigator.prototype, "language", { get: () => "C", configurable: true }));
  await opened(page, address);
  await play(page).click();
  await trainedTo(page, 5);
  assert.deepEqual(errors, []);
});

test("a page that cannot start says why", LIMIT, async (t) => {
  const { page, address } = await openPage(t);
  await page.addInitScript(() => (Intl.NumberFormat = undefined));
  await page.goto(address);
  await page.getByText(/^Not started: .*NumberFormat.* Reload the page, or try another browser\.$/).waitFor();
});
