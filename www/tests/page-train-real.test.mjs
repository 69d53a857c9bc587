/** The training view with the real trainer: what is loaded when, the page's own thread, and the way to the sampler. */

import assert from "node:assert/strict";
import { availableParallelism, loadavg } from "node:os";
import test from "node:test";
import { watchMainThread } from "./main-thread.mjs";
import { chooseClass, drawn, openSite, settled, skip } from "./site.mjs";
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
  await chooseClass(sampler, "planets");
  await drawn(sampler, "planets, seed 1, truncation 1", 16);
  await sampler.waitForFunction(() => location.hash.includes("class=0&"));
  const card = await sampler.locator("#card-facts").textContent();
  assert.match(card, /trained\.safetensors/);
  assert.match(card, /16×16/);
  // the links of the sampler hold for the model that was handed over
  await sampler.reload();
  await drawn(sampler, "planets, seed 1, truncation 1", 16);
  assert.deepEqual(errors, []);
});

for (const [where, lack] of [
  ["without a model to hand over", () => {}],
  ["without a Cache API", () => Object.defineProperty(globalThis, "caches", { value: undefined })],
]) test(`${where} the sampler says so and shows its own`, LIMIT, async (t) => {
  const { page, errors, address } = await openSite(t);
  await page.addInitScript(lack);
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
  await page.getByText(/Your run is where you left it \(Avatars/).waitFor();
  await page.waitForFunction(() => document.querySelectorAll("#grid canvas").length === 2);
  assert.deepEqual(await counts(page), before);
  assert.equal(await pixelsOf(page.locator("#grid canvas").first()), sheet);
  assert.deepEqual(errors, []);
});

test("rates and augmentation hold at once, in the run that is kept", LIMIT, async (t) => {
  const { page, errors, address } = await openSite(t);
  await opened(page, `${address}train.html?backend=cpu`);
  await page.getByRole("combobox", { name: "Preset" }).selectOption("gentle-16");
  await play(page).click();
  await trainedTo(page, 5);
  await page.getByText("More of the recipe").click();
  await page.getByText("Flip", { exact: true }).click();
  await page.getByText(/The last change holds from step/).waitFor();
  await page.getByRole("spinbutton", { name: "D steps" }).fill("2");
  await page.getByRole("spinbutton", { name: "Rate of D" }).fill("0.0005");
  await page.getByRole("spinbutton", { name: "Rate of D" }).press("Enter");
  const { g } = await counts(page);
  await trainedTo(page, g + 5);
  await paused(page);
  const before = await counts(page);
  await step(page, "Both").click();
  await page.waitForFunction((g) => document.querySelector("#counts dd").textContent === String(g), before.g + 1);
  assert.equal((await counts(page)).d, before.d + 2);
  await page.waitForFunction(() => document.querySelector("#status").dataset.mode === "paused");
  await page.waitForTimeout(500);
  await page.reload();
  await page.getByText(/Your run is where you left it/).waitFor();
  assert.equal(await page.getByRole("spinbutton", { name: "D steps" }).inputValue(), "2");
  await play(page).click();
  await trainedTo(page, before.g + 3);
  assert.deepEqual(errors, []);
});

test("a run that starts from a model of the page draws clothes before it trains, and goes on after a reload", LIMIT, async (t) => {
  const { page, errors, address } = await openSite(t);
  await opened(page, `${address}train.html?backend=cpu`);
  // brightness of the edges and of the middles of a sheet's samples
  const brightness = () =>
    page.locator("#grid canvas").first().evaluate((canvas) => {
      const { data, width } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      const sums = { edge: [0, 0], middle: [0, 0] };
      // samples of 32 pixels, a line apart
      for (let y = 0; y < canvas.height; y++) {
        for (let x = 0; x < width; x++) {
          const [column, row] = [x % 33, y % 33];
          if (column === 32 || row === 32) continue;
          const place = column < 3 || column > 28 ? "edge" : column > 11 && column < 20 && row > 3 && row < 9 ? "middle" : null;
          if (!place) continue;
          sums[place][0] += data[4 * (y * width + x)];
          sums[place][1] += 1;
        }
      }
      return { edge: sums.edge[0] / sums.edge[1], middle: sums.middle[0] / sums.middle[1] };
    });
  const firstGrid = async () => {
    await page.waitForFunction(() => document.querySelector("#timeline-value").textContent.startsWith("0 steps of G"));
    return brightness();
  };
  await page.getByRole("radio", { name: "Fashion-MNIST" }).check();
  await page.getByRole("combobox", { name: "Start from" }).selectOption("Fashion, 32 pixels");
  await page.getByText(/^400 images of 32×32/).waitFor();
  await play(page).click();
  await page.getByText(/D learns alone for the first 50 steps/).waitFor();
  await page.getByRole("button", { name: "Pause", exact: true }).click();
  const clothes = await firstGrid();
  t.diagnostic(JSON.stringify(clothes));
  // trousers on black
  assert.ok(clothes.edge < 20 && clothes.middle > 90, JSON.stringify(clothes));
  await page.getByText(/^Kept in this browser at/).waitFor();
  const before = await counts(page);
  assert.equal(before.g, 0);
  await page.reload();
  await page.getByText(/Your run is where you left it/).waitFor();
  await page.waitForFunction(() => document.querySelectorAll("#grid canvas").length === 2);
  assert.deepEqual(await counts(page), before);
  assert.deepEqual(await firstGrid(), clothes);
  await play(page).click();
  await trainedTo(page, 3, 120_000);
  await paused(page);
  const after = await counts(page);
  assert.equal(after.d - after.g, 50);
  const still = await brightness();
  assert.ok(still.edge < 40 && still.middle > 70, JSON.stringify(still));
  // from random weights the same places are alike
  await page.getByRole("button", { name: "Start over" }).click();
  await page.getByRole("combobox", { name: "Start from" }).selectOption("Random weights");
  await step(page, "D step").click();
  const noise = await firstGrid();
  assert.ok(Math.abs(noise.edge - noise.middle) < 40, JSON.stringify(noise));
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
