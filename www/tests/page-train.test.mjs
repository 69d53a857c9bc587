/** The training view, with a trainer that trains nothing: what it shows and what can be asked of it. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { buildWithFake } from "./fake-site.mjs";
import { openSite, skip } from "./site.mjs";
import { counts, folderOf, opened, paused, pixelsOf, play, png, reset, shapes, step, trainedTo } from "./train-page.mjs";

const LIMIT = { skip, timeout: 120_000 };
const outDir = skip ? "" : await buildWithFake();
const openPage = async (t, options = {}) => {
  const site = await openSite(t, { outDir, ...options });
  return { ...site, address: `${site.address}train.html` };
};

test("pick data, press Play, see fakes, pause", LIMIT, async (t) => {
  const { page, errors, address } = await openPage(t);
  await opened(page, address);
  assert.deepEqual(await counts(page), { g: null, d: null, images: null });
  assert.match(await page.locator("#preview-words").textContent(), /^400 images of 16×16 pixels in 2 classes/);
  await play(page).click();
  await trainedTo(page, 30);
  await paused(page);
  await page.getByText(/^Paused\./).waitFor();
  await page.waitForFunction(() => document.querySelector("#timeline-value").textContent.endsWith("now"));
  const stood = await counts(page);
  const dSteps = Number(await page.getByRole("spinbutton", { name: "D steps" }).inputValue());
  assert.equal(stood.d, dSteps * stood.g);
  for (const name of ["Trouser", "Bag"]) {
    const sheet = page.getByRole("img", { name: `Fakes of the class ${name} after` });
    assert.deepEqual(await sheet.evaluate(({ width, height }) => [width, height]), [67, 67]);
  }
  assert.equal(await page.locator("#scored-real canvas").count(), 8);
  assert.equal(await page.locator("#scored-fake canvas").count(), 8);
  assert.match(
    await page.locator("#scored-fake canvas").first().getAttribute("aria-label"),
    /^(Trouser|Bag), fake; D says (real|fake), [+−]\d\.\d\d$/,
  );
  for (const name of [/^Losses: D \d/, /^Mean score of D: real/, /^Largest singular values: G linear/, /^Images per second/]) {
    await page.getByRole("img", { name }).waitFor();
  }
  // it stands
  await page.waitForTimeout(600);
  assert.deepEqual(await counts(page), stood);
  await play(page).click();
  await trainedTo(page, stood.g + 5);
  assert.deepEqual(errors, []);
});

test("single steps teach one network, and the parts at work light up", LIMIT, async (t) => {
  const { page, errors, address } = await openPage(t);
  await opened(page, address);
  const lit = () => page.locator(".part.lit").evaluateAll((parts) => parts.map((part) => part.textContent.trim()));
  await step(page, "D step").click();
  await page.getByText("1 of 8", { exact: true }).waitFor();
  await page.waitForFunction(() => document.querySelector("#counts dd").textContent === "0");
  const afterD = await counts(page);
  assert.ok(afterD.d > 0);
  assert.deepEqual(await lit(), ["Noise z", "Class y"]);
  await page.getByRole("button", { name: "Hold" }).click();
  for (let next = 2; next <= 8; next++) await page.getByRole("button", { name: "Next" }).click();
  assert.deepEqual((await lit()).sort(), ["Discriminator D", "Gradient, Adam: D learns"]);
  assert.equal(await page.getByRole("button", { name: "Next" }).isDisabled(), true);

  await step(page, "G step").click();
  await page.waitForFunction(() => document.querySelector("#counts dd").textContent === "1");
  assert.equal((await counts(page)).d, afterD.d);
  await page.getByText("1 of 7", { exact: true }).waitFor();
  // it goes on by itself
  await page.getByText("2 of 7", { exact: true }).waitFor();
  await step(page, "Both").click();
  await page.getByText("1 of 15", { exact: true }).waitFor();
  assert.equal((await counts(page)).g, 2);
  await play(page).click();
  assert.deepEqual(await lit(), []);
  assert.deepEqual(errors, []);
});

test("with less motion the walk waits for the visitor", LIMIT, async (t) => {
  const { page, address } = await openPage(t, { reducedMotion: "reduce" });
  await opened(page, address);
  await step(page, "D step").click();
  await page.getByText("1 of 8", { exact: true }).waitFor();
  await page.waitForTimeout(3500);
  assert.equal(await page.getByText("1 of 8", { exact: true }).count(), 1);
  await page.getByRole("button", { name: "Next" }).click();
  await page.getByText("2 of 8", { exact: true }).waitFor();
});

test("each part of the picture is explained, by keyboard too", LIMIT, async (t) => {
  const { page, address } = await openPage(t);
  await opened(page, address);
  const parts = page.locator(".part");
  const titles = new Set();
  assert.equal(await parts.count(), 12);
  for (let index = 0; index < 12; index++) {
    const part = parts.nth(index);
    await part.focus();
    await part.press(index % 2 === 0 ? "Enter" : " ");
    assert.equal(await part.getAttribute("aria-pressed"), "true");
    titles.add(await page.locator("#step-title").textContent());
    assert.match(await page.locator("#step-text").textContent(), /section|appendix/);
  }
  assert.equal(titles.size, 12);
});

test("the timeline leads through the past and back to now", LIMIT, async (t) => {
  const { page, errors, address } = await openPage(t);
  await opened(page, address);
  await play(page).click();
  await page.waitForFunction(() => Number(document.querySelector("#timeline").max) >= 3);
  const slider = page.getByRole("slider", { name: "Time" });
  const sheet = page.locator("#grid canvas").first();
  await slider.fill("0");
  assert.match(await slider.getAttribute("aria-valuetext"), /^after 0 steps of G, then$/);
  const first = await pixelsOf(sheet);
  // new frames come and the old one stays in sight
  const frames = Number(await slider.getAttribute("max"));
  await page.waitForFunction((frames) => Number(document.querySelector("#timeline").max) > frames, frames);
  assert.equal(await pixelsOf(sheet), first);
  await page.getByRole("button", { name: "Now", exact: true }).click();
  assert.notEqual(await pixelsOf(sheet), first);
  await paused(page);
  await page.getByRole("button", { name: "Replay" }).click();
  await page.waitForFunction(() => document.querySelector("#timeline").getAttribute("aria-valuetext").endsWith("then"));
  await page.waitForFunction(() => document.querySelector("#timeline").getAttribute("aria-valuetext").endsWith("now"));
  assert.deepEqual(errors, []);
});

test("a changed recipe applies at Reset, and Reset can be undone", LIMIT, async (t) => {
  const { page, errors, address } = await openPage(t);
  await opened(page, address);
  await play(page).click();
  await trainedTo(page, 12);
  await paused(page);
const before = await counts(page);
  const width = page.getByRole("spinbutton", { name: "Width" });
  const old = await width.inputValue();
  await width.fill("4");
  await page.getByText("Reset applies them").waitFor();
  assert.equal(await page.getByRole("combobox", { name: "Preset" }).evaluate((select) => select.selectedOptions[0].text), "Custom");
  await page.getByRole("textbox", { name: "Seed" }).fill("18446744073709551615");
  await reset(page).click();
  await page.getByText("Started again from the beginning.").waitFor();
  await page.waitForFunction(() => document.querySelector("#counts dd").textContent === "0");
  assert.equal(await page.locator("#pending").textContent(), "");
  // the picture shows the narrower networks
  assert.match(await page.locator(".generator + .inside").textContent(), /16×1616/);
  await page.getByRole("button", { name: "Undo" }).click();
  await page.waitForFunction((g) => document.querySelector("#counts dd").textContent === String(g), before.g);
  assert.equal(await width.inputValue(), old);
  assert.deepEqual(errors, []);
});

test("a recipe that is none cannot begin", LIMIT, async (t) => {
  const { page, address } = await openPage(t);
  await opened(page, address);
  const seed = page.getByRole("textbox", { name: "Seed" });
  for (const wrong of ["-1", "1.5", "", "x"]) {
    await seed.fill(wrong);
    assert.equal(await seed.evaluate((input) => input.matches(":invalid")), true, wrong);
    assert.equal(await play(page).isDisabled(), true);
  }
  await seed.fill("7");
  assert.equal(await play(page).isDisabled(), false);
  await page.getByRole("spinbutton", { name: "Batch" }).fill("1");
  assert.equal(await play(page).isDisabled(), true);
});

test("a preset chooses the data that it was made for", LIMIT, async (t) => {
  const { page, errors, address } = await openPage(t);
  await opened(page, address);
  const preset = page.getByRole("combobox", { name: "Preset" });
  const wanted = [
    ["Ten classes, 32 pixels", /^2,000 images of 32×32 pixels in 10 classes/],
    ["Ten classes, 16 pixels", /^2,000 images of 16×16 pixels in 10 classes/],
    ["Gentle, 16 pixels", /^400 images of 16×16 pixels in 2 classes/],
    ["Your pictures, 64 pixels", /^$/],
    ["Two classes, 16 pixels", /^$/],
  ];
  for (const [label, says] of wanted) {
    await preset.selectOption({ label });
    await page.waitForFunction((says) => new RegExp(says).test(document.querySelector("#preview-words").textContent), says.source);
    assert.equal(await preset.evaluate((select) => select.selectedOptions[0].text), label);
  }
  // who has chosen own images keeps them
  assert.equal(await page.getByRole("radio", { name: "Your images" }).isChecked(), true);
  await page.getByText("Choose a folder to begin.").waitFor();
  assert.deepEqual(errors, []);
});

test("classes and size of the images that ship are chosen", LIMIT, async (t) => {
  const { page, errors, address } = await openPage(t);
  await opened(page, address);
  await page.getByRole("checkbox", { name: "Sandal" }).check();
  await page.waitForFunction(() => document.querySelectorAll("#preview canvas").length === 3);
  await page.getByRole("combobox", { name: "Size" }).selectOption("32");
  await page.getByText("600 images of 32×32 pixels in 3 classes").waitFor();
  for (const name of ["Sandal", "Trouser", "Bag"]) await page.getByRole("checkbox", { name }).uncheck();
  await page.getByText("Choose a class to begin.").waitFor();
  assert.equal(await play(page).isDisabled(), true);
  assert.deepEqual(errors, []);
});

test("a folder of the visitor's is previewed and judged, and nothing is sent", LIMIT, async (t) => {
  const { page, errors, address } = await openPage(t);
  const sent = [];
  page.on("request", (request) => {
    if (request.method() !== "GET" || !/^(blob:)?http:\/\/127\.0\.0\.1/.test(request.url())) sent.push(request.url());
  });
  await opened(page, address);
  await page.getByRole("radio", { name: "Your images" }).check();
  await page.getByText("Choose a folder to begin.").waitFor();
  const files = { ...shapes(30), "circles/broken.png": "no picture", "squares/small.png": png(8, 8, (x) => [x, 0, 9]) };
  await page.getByLabel("Folder").setInputFiles(folderOf(t, files));
  await page.getByText(/61 images of 16×16 pixels in 2 classes/).waitFor();
  assert.match(await page.locator("#findings").textContent(), /broken\.png/);
  assert.match(await page.locator("#findings").textContent(), /small\.png/);
  assert.deepEqual(await page.locator("#preview span").allTextContents(), ["circles 30", "squares 31"]);
  await page.getByRole("combobox", { name: "Size" }).selectOption("64");
  await page.getByText(/61 images of 64×64/).waitFor();
  await play(page).click();
  await trainedTo(page, 3);
  assert.deepEqual(sent, []);
  assert.deepEqual(errors, []);
});

test("files that are dropped are read with their folders", LIMIT, async (t) => {
  const { page, address } = await openPage(t);
  await opened(page, address);
  const bytes = [...png(20, 20, (x, y) => [x * 10, y * 10, 0])];
  await page.evaluate((bytes) => {
    const transfer = new DataTransfer();
    for (const name of ["a.png", "b.png"]) transfer.items.add(new File([new Uint8Array(bytes)], name, { type: "image/png" }));
    dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
  }, bytes);
  await page.waitForFunction(() => document.querySelector("#findings").children.length > 0);
  assert.equal(await page.getByRole("radio", { name: "Your images" }).isChecked(), true);
});

test("models, checkpoints and images are saved, and a checkpoint is loaded", LIMIT, async (t) => {
  const { page, errors, address } = await openPage(t);
  await opened(page, address);
  await play(page).click();
  await trainedTo(page, 10);
  await paused(page);
  await page.getByText(/^Paused\./).waitFor();
  const save = async (name) => {
    const downloading = page.waitForEvent("download");
    await page.getByRole("button", { name }).click();
    const download = await downloading;
    return { name: download.suggestedFilename(), path: await download.path() };
  };
  const { g } = await counts(page);
  const model = await save("Export the model");
  assert.equal(model.name, `biggan-fashion-mnist-2-000-images-16px-step-${g}.safetensors`);
  assert.equal(readFileSync(model.path, "utf8"), "a model");
  assert.equal((await save("Save the images for native-train")).name, "train.pack");
  const checkpoint = await save("Save a checkpoint");
  await play(page).click();
  await trainedTo(page, g + 10);
  await paused(page);
  await page.getByLabel("Load a checkpoint").setInputFiles(checkpoint.path);
  await page.getByText(/^Continued from /).waitFor();
  await page.waitForFunction((g) => document.querySelector("#counts dd").textContent === String(g), g);
  assert.deepEqual(errors, []);
});
