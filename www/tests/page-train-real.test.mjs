/** The training view with the real trainer: what is loaded when, the page's own thread, and the way to the sampler. */

import assert from "node:assert/strict";
import { availableParallelism, loadavg } from "node:os";
import test from "node:test";
import { watchMainThread } from "./main-thread.mjs";
import { drawn, openSite, settled, skip } from "./site.mjs";
import { counts, folderOf, opened, paused, pixelsOf, play, shapes, step, trainedTo } from "./train-page.mjs";

const LIMIT = { skip, timeout: 300_000 };
/** Longest task of the page's thread while it trains, in milliseconds (the line 6). */
const MOST_MS = 50;
/** Load average per processor up to which nothing but the browser works. */
const QUIET = 1.5;

test("the sampling page loads nothing of the training until it is asked for", LIMIT, async (t) => {
  // with its service worker, which fetches ahead
  const { page, errors, address } = await openSite(t, { serviceWorkers: "allow" });
  const requests = [];
  page.context().on("request", (request) => requests.push(new URL(request.url()).pathname));
  await page.goto(address);
  await settled(page, "Samples");
  await page.waitForFunction(() => navigator.serviceWorker?.controller);
  assert.deepEqual(requests.filter((path) => /train|\.pack/.test(path)), []);
  await page.getByRole("link", { name: "Train" }).click();
  await page.waitForFunction(() => document.querySelectorAll("#preview canvas").length === 2);
  // nor does the training page load a wasm build before it trains
  assert.deepEqual(requests.filter((path) => /train-\w+-[\w-]+\.wasm$/.test(path)), []);
  await step(page, "D step").click();
  await page.waitForFunction(() => document.querySelectorAll("#counts dd")[1].textContent === "1");
  assert.ok(requests.some((path) => /train-cpu-[\w-]+\.wasm$/.test(path)));
  assert.deepEqual(errors, []);
});

test("two classes take shape in a page that stays responsive, and open in the sampler", LIMIT, async (t) => {
  const { page, errors, address } = await openSite(t);
  await opened(page, `${address}train.html?backend=cpu`);
  // the trainer is there before the tasks are watched
  await step(page, "Both").click();
  await page.waitForFunction(() => document.querySelector("#counts dd").textContent === "1");
  const first = await pixelsOf(page.locator("#grid canvas").first());
  const watched = await watchMainThread(page);
  await play(page).click();
  await trainedTo(page, 250, 200_000);
  await page.getByRole("slider", { name: "Time" }).fill("1");
  await page.getByRole("button", { name: "Now", exact: true }).click();
  await paused(page);
  const { observed, longest, count } = await watched();
  const load = loadavg()[0] / availableParallelism();
  t.diagnostic(
    `${(await counts(page)).g} steps: ${observed.length} tasks over 50 ms (${observed}) at a load of ` +
      `${load.toFixed(1)} per processor; the longest of ${count} took ${longest.toFixed(1)} ms of the processor`,
  );
  assert.ok(count > 100 && longest > 0);
  assert.ok(longest <= MOST_MS, `${longest} ms`);
  // where other programs take the processors, tasks last longer than they work
  if (load <= QUIET) assert.deepEqual(observed, []);
  assert.notEqual(await pixelsOf(page.locator("#grid canvas").first()), first);

  const opening = page.context().waitForEvent("page");
  await page.getByRole("button", { name: "Open in the sampler" }).click();
  const sampler = await opening;
  await sampler.waitForLoadState();
  await drawn(sampler, "Trouser, seed 1, truncation 1", 16);
  const card = await sampler.locator("#card-facts").textContent();
  assert.match(card, /trained\.safetensors/);
  assert.match(card, /16×16/);
  // the links of the sampler hold for the model that was handed over
  await sampler.reload();
  await drawn(sampler, "Trouser, seed 1, truncation 1", 16);
  assert.deepEqual(errors, []);
});

test("without a model to hand over the sampler says so and shows its own", LIMIT, async (t) => {
  const { page, errors, address } = await openSite(t);
  await page.goto(`${address}?from=training`);
  await page.locator(".notice").getByText(/no model from the training page/).waitFor();
  await settled(page, "Samples");
  assert.deepEqual(errors, []);
});

test("a training is gone on with after a reload, where it was", LIMIT, async (t) => {
  const { page, errors, address } = await openSite(t);
  await opened(page, `${address}train.html?backend=cpu`);
  await play(page).click();
  await trainedTo(page, 20);
  await paused(page);
  await page.getByText(/^Kept in this browser at/).waitFor();
  const before = await counts(page);
  const sheet = await pixelsOf(page.locator("#grid canvas").first());
  await page.reload();
  await page.getByText(/Your run is where you left it \(Fashion-MNIST/).waitFor();
  await page.waitForFunction(() => document.querySelectorAll("#grid canvas").length === 2);
  assert.deepEqual(await counts(page), before);
  assert.equal(await pixelsOf(page.locator("#grid canvas").first()), sheet);
  assert.deepEqual(errors, []);
});

test("the seed decides the whole training", LIMIT, async (t) => {
  const { page, errors, address } = await openSite(t);
  await opened(page, `${address}train.html?backend=cpu`);
  const run = async (seed) => {
    await page.getByRole("textbox", { name: "Seed" }).fill(seed);
    const reset = page.getByRole("button", { name: "Reset", exact: true });
    if (!(await reset.isDisabled())) {
      await reset.click();
      await page.waitForFunction(() => document.querySelector("#timeline-value").textContent === "0 steps of G, now");
    }
    for (let number = 1; number <= 3; number++) {
      await step(page, "Both").click();
      await page.waitForFunction((number) => document.querySelector("#timeline-value").textContent.startsWith(`${number} step`), number);
      await page.waitForFunction(() => document.querySelector("#status").dataset.mode === "paused");
    }
    return pixelsOf(page.locator("#grid canvas").first());
  };
  const one = await run("5");
  const other = await run("6");
  assert.notEqual(one, other);
  assert.equal(await run("5"), one);
  assert.deepEqual(errors, []);
});

test("a recipe that is too large is refused with the numbers, and the training stays", LIMIT, async (t) => {
  const { page, errors, address } = await openSite(t);
  await opened(page, `${address}train.html?backend=cpu`);
  await page.getByRole("combobox", { name: "Preset" }).selectOption("gentle-16");
  await play(page).click();
  await trainedTo(page, 5);
  await paused(page);
  const before = await counts(page);
  await page.getByRole("spinbutton", { name: "Width" }).fill("96");
  await page.getByRole("spinbutton", { name: "Batch" }).fill("512");
  await page.getByRole("button", { name: "Reset", exact: true }).click();
  const said = await page.locator("#problem").filter({ hasText: /\d/ }).textContent();
  assert.match(said, /\d[\d.,]* [MG]B.*\d[\d.,]* [MG]B/);
  await page.waitForFunction(() => document.querySelector("#status").dataset.mode === "paused");
  assert.deepEqual(await counts(page), before);
  await play(page).click();
  await trainedTo(page, before.g + 3);
  assert.deepEqual(errors, []);
});

test("a file that is no checkpoint is refused, and the training stays", LIMIT, async (t) => {
  const { page, errors, address } = await openSite(t);
  await opened(page, `${address}train.html?backend=cpu`);
  await play(page).click();
  await trainedTo(page, 5);
  await paused(page);
  const before = await counts(page);
  const files = { "text.safetensors": Buffer.from("no tensors at all"), "empty.safetensors": Buffer.alloc(0) };
  for (const [name, buffer] of Object.entries(files)) {
    await page.getByLabel("Load a checkpoint").setInputFiles({ name, mimeType: "", buffer });
    await page.locator("#files-problem").filter({ hasText: /\w/ }).waitFor();
    t.diagnostic(await page.locator("#files-problem").textContent());
  }
  await play(page).click();
  await trainedTo(page, before.g + 3);
  assert.deepEqual(errors, []);
});

test("own images of 64 pixels are trained on", LIMIT, async (t) => {
  const { page, errors, address } = await openSite(t);
  await opened(page, `${address}train.html?backend=cpu`);
  await page.getByRole("combobox", { name: "Preset" }).selectOption("own-64");
  await page.getByLabel("Folder").setInputFiles(folderOf(t, shapes(60)));
  await page.getByText(/^120 images of 64×64 pixels in 2 classes/).waitFor();
  await play(page).click();
  await trainedTo(page, 10, 120_000);
  await paused(page);
  await page.getByRole("img", { name: /^Fakes of the class squares after/ }).waitFor();
  // the layers of a deeper network are offered
  assert.match(await page.locator("#layers").textContent(), /G blocks\.3\.conv1/);
  assert.deepEqual(errors, []);
});
