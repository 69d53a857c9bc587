/** The training view, with a trainer that trains nothing: what it shows and what can be asked of it. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { buildWithFake } from "./fake-site.mjs";
import { dropPaths, openSite, skip } from "./site.mjs";
import { counts, folderOf, opened, paused, pixelsOf, play, png, reset, shapes, step, trainedTo } from "./train-page.mjs";
import { zipOfFolder } from "./zips.mjs";

const LIMIT = { skip, timeout: 120_000 };
const outDir = skip ? "" : await buildWithFake();
const openPage = async (t, options = {}) => {
  const site = await openSite(t, { outDir, ...options });
  return { ...site, address: `${site.address}train.html` };
};

/** A model's generator as its file describes it, and a file with such a header and nothing else. */
const GENERATOR = {
  ...{ resolution: 64, channels: 4, z_dim: 40, classes: 3, class_embedding: { kind: "shared", dim: 32 } },
  ...{ hierarchical_z: true, attention: [32] },
};
function headerOf(metadata) {
  const header = Buffer.from(JSON.stringify({ __metadata__: metadata }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header]);
}

test("pick data, press Play, see fakes, pause", LIMIT, async (t) => {
  const { page, errors, address } = await openPage(t);
  await opened(page, address);
  assert.deepEqual(await counts(page), { g: null, d: null, images: null });
  assert.match(await page.locator("#preview-words").textContent(), /^300 images of 16×16 pixels in 2 classes/);
  await play(page).click();
  await trainedTo(page, 30);
  await paused(page);
  await page.getByText(/^Paused\./).waitFor();
  await page.waitForFunction(() => document.querySelector("#timeline-value").textContent.endsWith("now"));
  const stood = await counts(page);
  const dSteps = Number(await page.getByRole("spinbutton", { name: "D steps" }).inputValue());
  assert.equal(stood.d, dSteps * stood.g);
  for (const name of ["planets", "sprouts"]) {
    const sheet = page.getByRole("img", { name: `Fakes of the class ${name} after` });
    assert.deepEqual(await sheet.evaluate(({ width, height }) => [width, height]), [67, 67]);
  }
  assert.equal(await page.locator("#scored-real canvas").count(), 8);
  assert.equal(await page.locator("#scored-fake canvas").count(), 8);
  assert.match(
    await page.locator("#scored-fake canvas").first().getAttribute("aria-label"),
    /^(planets|sprouts), fake; D says (real|fake), [+−]\d\.\d\d$/,
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

/** The slow motion as it is now: what moves and where, and the parts that are lit. */
const motion = (page) =>
  page.evaluate(() => ({
    places: [...document.querySelectorAll(".moving > g")].map((thing) => thing.getAttribute("transform")),
    images: document.querySelectorAll(".moving image").length,
    lit: [...document.querySelectorAll(".part.lit")].map((part) => part.textContent.trim()),
    says: document.querySelector("#step-now").textContent,
  }));
const slow = (page) => page.getByRole("button", { name: "Slow motion" });

test("in slow motion one step follows another, and its images move with it", LIMIT, async (t) => {
  const { page, errors, address } = await openPage(t);
  await opened(page, address);
  await slow(page).click();
  assert.equal(await slow(page).getAttribute("aria-pressed"), "true");
  await play(page).click();
  await trainedTo(page, 1);
  const began = Date.now();
  await page.getByText(/^Training in slow motion on the CPU/).waitFor();
  await page.waitForFunction(() => document.querySelectorAll(".moving image").length > 0);
  const first = await motion(page);
  await page.waitForFunction((places) => {
    const now = [...document.querySelectorAll(".moving > g")].map((thing) => thing.getAttribute("transform"));
    return now.length > 0 && now.join() !== places;
  }, first.places.join());
  assert.match(first.says, /^[DG]’s turn: /);
  assert.ok(first.lit.length > 0);
  // the numbers of this very step
  const numbers = await page.waitForFunction(() => {
    const says = /^D’s turn: the loss (\d\.\d\d) goes back\.$/.exec(document.querySelector("#step-now").textContent);
    return says && [`D ${says[1]}`, document.querySelector(".loss + .inside text").textContent];
  });
  const [said, shown] = await numbers.jsonValue();
  assert.equal(shown, said);
  await trainedTo(page, 2);
  const took = Date.now() - began;
  // on a machine that is busy with other tests, too
  assert.ok(took > 3_000 && took < 45_000, `a step took ${took} ms`);
  // a pause comes at the end of the step, which is shown to its end and kept
  await paused(page);
  const stood = await counts(page);
  await page.getByText(/^Kept in this browser at/).waitFor();
  await page.waitForFunction(() => document.querySelectorAll(".moving").length === 0);
  assert.deepEqual(await counts(page), stood);
  await step(page, "D step").click();
  await page.getByText("1 of 8", { exact: true }).waitFor();
  // back to full speed, in the middle of a motion
  await play(page).click();
  await page.waitForFunction(() => document.querySelectorAll(".moving").length > 0);
  await slow(page).click();
  await trainedTo(page, stood.g + 40, 10_000);
  assert.deepEqual((await motion(page)).places, []);
  assert.equal((await motion(page)).says, "");
  assert.deepEqual(errors, []);
});

test("slow motion with less motion lights the parts up, and nothing moves", LIMIT, async (t) => {
  const { page, errors, address } = await openPage(t, { reducedMotion: "reduce" });
  await opened(page, address);
  await slow(page).click();
  await play(page).click();
  const lit = await page.evaluate(
    () =>
      new Promise((resolve) => {
        const lit = {};
        new MutationObserver(() => {
          const says = document.querySelector("#step-now").textContent;
          lit[says] = [...document.querySelectorAll(".part.lit")].map((part) => part.textContent.trim()).join();
          lit.moving = (lit.moving ?? 0) + document.querySelectorAll(".moving").length;
          if (says.includes("the average")) resolve(lit);
        }).observe(document.querySelector(".anatomy"), { subtree: true, childList: true, attributes: true });
      }),
  );
  assert.equal(lit.moving, 0);
  assert.equal(lit["D’s turn: D looks at real images and fakes."], "Fakes,Real images,Discriminator D");
  assert.equal(lit["G’s turn: D looks at them; it does not learn now."], "Fakes,Discriminator D");
  assert.deepEqual(errors, []);
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

test("rates, D steps and augmentation hold at once while it trains, and the rest waits for Reset", LIMIT, async (t) => {
  const { page, errors, address } = await openPage(t);
  await opened(page, address);
  const field = (name) => page.getByRole("spinbutton", { name });
  await play(page).click();
  await trainedTo(page, 5);
  await field("D steps").fill("3");
  // a value that is being typed is none yet
  await page.waitForTimeout(200);
  assert.doesNotMatch(await page.locator("#recipe-live").textContent(), /holds from/);
  await field("D steps").press("Enter");
  await page.getByText(/The last change holds from step \d+ of G on\./).waitFor();
  assert.equal(await page.locator("#pending").textContent(), "");
  await page.getByText("More of the recipe").click();
  await page.getByText("Shift", { exact: true }).click();
  await field("Rate of G").fill("0.0005");
  await field("Width").fill("4");
  await page.getByText("Reset applies them").waitFor();
  const from = await counts(page);
  await trainedTo(page, from.g + 10);
  await paused(page);
  const to = await counts(page);
  assert.equal(to.d - from.d, 3 * (to.g - from.g));
  await page.getByText(/^Kept in this browser at/).waitFor();
  // the run is kept with the new recipe, but for what waits for Reset
  await page.reload();
  await page.getByText(/^Your run is where you left it/).waitFor();
  assert.equal(await field("D steps").inputValue(), "3");
  assert.equal(await field("Rate of G").inputValue(), "0.0005");
  assert.equal(await field("Width").inputValue(), "8");
  assert.equal(await page.locator("#recipe-translation").isChecked(), true);
  assert.deepEqual(await counts(page), to);
  // paused, too, and kept without another step
  await field("Rate of D").fill("0.002");
  await field("Rate of D").press("Enter");
  await page.getByText(/The last change holds from step/).waitFor();
  await page.waitForTimeout(500);
  await page.reload();
  await page.getByText(/^Your run is where you left it/).waitFor();
  assert.equal(await field("Rate of D").inputValue(), "0.002");
  assert.deepEqual(errors, []);
});

test("a live value that the trainer refuses is said, and the run goes on", LIMIT, async (t) => {
  const { page, errors, address } = await openPage(t);
  await opened(page, `${address}?fake=stubborn`);
  await play(page).click();
  await trainedTo(page, 5);
  await page.getByText("More of the recipe").click();
  await page.getByText("Cutout", { exact: true }).click();
  await page.locator("#problem").getByText("The augmentation cannot be changed.").waitFor();
  await page.getByText("Reset applies them").waitFor();
  const { g } = await counts(page);
  await trainedTo(page, g + 5);
  assert.deepEqual(errors, []);
});

test("a run starts from a model of the page: locked fields, its size, D alone at first, and a reload in the midst", LIMIT, async (t) => {
  const { page, errors, address } = await openPage(t);
  await opened(page, address);
  const field = (name) => page.getByRole("spinbutton", { name });
  const from = page.getByRole("combobox", { name: "Start from" });
  assert.deepEqual(await from.locator("option").allTextContents(), ["Random weights", "Avatars, 64 pixels", "Fashion, 32 pixels", "A model or checkpoint file"]);
  await from.selectOption("Fashion, 32 pixels");
  await page.getByText(/^Fashion draws 10 classes of 32×32 pixels.* Play begins with 50 steps of a new D alone, then both learn\.$/).waitFor();
  await page.getByText(/^300 images of 32×32 pixels in 2 classes/).waitFor();
  assert.deepEqual([await field("Width").inputValue(), await field("Width").isDisabled()], ["12", true]);
  assert.deepEqual([await page.locator("#recipe-z").inputValue(), await page.locator("#recipe-z").isDisabled()], ["80", true]);
  // data of another size are refused in words
  await page.getByRole("combobox", { name: "Size" }).selectOption("16");
  await page.getByText(/^Fashion draws 32×32 pixels, and the data have 16×16: choose 32×32 pixels as their size/).waitFor();
  assert.equal(await play(page).isDisabled(), true);
  await page.getByRole("combobox", { name: "Size" }).selectOption("32");
  await page.getByText(/^300 images of 32×32/).waitFor();
  assert.equal(await page.locator("#origin-problem").isVisible(), false);

  await play(page).click();
  await page.getByText(/D learns alone for the first 50 steps: the model that G starts from has no D\.$/).waitFor();
  await page.getByRole("button", { name: "Pause", exact: true }).click();
  await page.getByText(/^Kept in this browser at/).waitFor();
  const midst = await counts(page);
  assert.equal(midst.g, 0);
  assert.ok(midst.d > 0 && midst.d < 50, `${midst.d} steps of D`);
  // kept is a checkpoint: the model is not needed again, and D still learns alone up to its 50th step
  await page.route("**/models/**", (route) => route.abort());
  await page.reload();
  await page.getByText(/^Your run is where you left it/).waitFor();
  assert.equal(await field("Width").inputValue(), "12");
  await page.getByText("This run started from Fashion; a new run starts from what is chosen here.").waitFor();
  assert.equal(await page.locator("#pending").textContent(), "");
  await play(page).click();
  await trainedTo(page, 3);
  await paused(page);
  const later = await counts(page);
  assert.equal(later.d - later.g, 50);
  assert.match(await page.locator("#status").textContent(), /^Paused/);
  assert.deepEqual(errors, []);
});

test("Reset takes another start, and Undo brings the one before it back", LIMIT, async (t) => {
  const { page, errors, address } = await openPage(t);
  await opened(page, address);
  const from = page.getByRole("combobox", { name: "Start from" });
  await from.selectOption("Fashion, 32 pixels");
  await page.getByText(/^300 images of 32×32/).waitFor();
  await step(page, "Both").click();
  await page.waitForFunction(() => document.querySelector("#counts dd").textContent === "1");
  await page.waitForFunction(() => document.querySelector("#status").dataset.mode === "paused");
  await from.selectOption("Random weights");
  assert.equal(await page.getByRole("spinbutton", { name: "Width" }).isDisabled(), false);
  await page.getByText("Reset applies them").waitFor();
  await reset(page).click();
  await page.getByText("Started again from the beginning.").waitFor();
  await page.waitForFunction(() => document.querySelector("#counts dd").textContent === "0");
  await page.getByRole("button", { name: "Undo" }).click();
  await page.waitForFunction(() => document.querySelector("#counts dd").textContent === "1");
  assert.equal(await from.evaluate((select) => select.selectedOptions[0].text), "Fashion, 32 pixels");
  assert.equal(await page.getByRole("spinbutton", { name: "Width" }).isDisabled(), true);
  assert.equal(await page.locator("#pending").textContent(), "");
  assert.deepEqual(errors, []);
});

test("a file is a start if its networks can be trained here, and otherwise it is said why", LIMIT, async (t) => {
  const { page, errors, address } = await openPage(t);
  await opened(page, address);
  await page.getByRole("combobox", { name: "Start from" }).selectOption("A model or checkpoint file");
  const file = page.getByLabel("File of the networks");
  const problem = page.locator("#origin-problem");
  await file.setInputFiles({ name: "text.safetensors", mimeType: "", buffer: Buffer.from("no tensors") });
  await problem.getByText(/no training can start from this file: it is neither a model nor a checkpoint/i).waitFor();
  const config = (generator) => ({
    format: "biggan",
    config: JSON.stringify({ generator: { ...GENERATOR, ...generator }, class_names: ["a", "b", "c"] }),
  });
  await file.setInputFiles({ name: "large.safetensors", mimeType: "", buffer: headerOf(config({ resolution: 128 })) });
  await problem.getByText(/it draws 128 pixels; a browser trains 16, 32, 64/).waitFor();
  // random weights all the while
  assert.equal(await play(page).isDisabled(), false);
  await file.setInputFiles({ name: "mine.safetensors", mimeType: "", buffer: headerOf(config({})) });
  await page.getByText(/^mine\.safetensors draws 3 classes of 64×64 pixels/).waitFor();
  assert.equal(await problem.isVisible(), false);
  // nothing that ships has 64 pixels
  await page.getByText("Choose a folder or a zip to begin.").waitFor();
  await page.getByLabel("Or a zip of it").setInputFiles({ name: "s.zip", mimeType: "", buffer: zipOfFolder(shapes(4)) });
  await page.getByText(/^8 images of 64×64 pixels/).waitFor();
  await play(page).click();
  await page.waitForFunction(() => Number(document.querySelectorAll("#counts dd")[1].textContent) > 0);
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
    ["All classes, 32 pixels", /^1,800 images of 32×32 pixels in 12 classes/],
    ["All classes, 16 pixels", /^1,800 images of 16×16 pixels in 12 classes/],
    ["Gentle, 16 pixels", /^300 images of 16×16 pixels in 2 classes/],
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
  await page.getByText("Choose a folder or a zip to begin.").waitFor();
  assert.deepEqual(errors, []);
});

test("classes and size of the images that ship are chosen", LIMIT, async (t) => {
  const { page, errors, address } = await openPage(t);
  await opened(page, address);
  await page.getByRole("checkbox", { name: "critters" }).check();
  await page.waitForFunction(() => document.querySelectorAll("#preview canvas").length === 3);
  await page.getByRole("combobox", { name: "Size" }).selectOption("32");
  await page.getByText("450 images of 32×32 pixels in 3 classes").waitFor();
  for (const name of ["critters", "planets", "sprouts"]) await page.getByRole("checkbox", { name }).uncheck();
  await page.getByText("Choose a class to begin.").waitFor();
  assert.equal(await play(page).isDisabled(), true);
  // the other set has classes of its own
  await page.getByRole("radio", { name: "Fashion-MNIST" }).check();
  await page.getByText("400 images of 32×32 pixels in 2 classes").waitFor();
  assert.deepEqual(await page.locator("#data-classes :checked").evaluateAll((boxes) => boxes.map((box) => box.parentElement.textContent)), ["Trouser", "Bag"]);
  assert.equal(await play(page).isDisabled(), false);
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
  await page.getByText("Choose a folder or a zip to begin.").waitFor();
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

test("a zip, picked or dropped, is the folder that it holds, and a bad one is named", LIMIT, async (t) => {
  const { page, errors, address } = await openPage(t);
  await opened(page, address);
  await page.getByRole("radio", { name: "Your images" }).check();
  const top = Object.fromEntries(Object.entries(shapes(6)).map(([path, content]) => [`photos/${path}`, content]));
  const files = { ...top, "__MACOSX/photos/._x": "x", "photos/circles/broken.png": "no picture", "photos/old.zip": "x" };
  const folder = folderOf(t, { "Shapes.zip": zipOfFolder(files), "cut.zip": zipOfFolder(files).subarray(0, 500) });
  await page.getByLabel("Or a zip of it").setInputFiles(join(folder, "Shapes.zip"));
  await page.getByText("12 images of 16×16 pixels in 2 classes, from Shapes").waitFor();
  assert.deepEqual(await page.locator("#preview span").allTextContents(), ["circles 6", "squares 6"]);
  const said = page.locator("#findings");
  assert.match(await said.textContent(), /1 of 13 files are left out: Shapes\/circles\/broken\.png/);
  assert.match(await said.textContent(), /Passed over: 1 zip file in the folder \(old\.zip\)\. Unpack them/);
  // read again, from the zip
  await page.getByRole("combobox", { name: "Size" }).selectOption("32");
  await page.getByText("12 images of 32×32 pixels").waitFor();
  await dropPaths(page, [join(folder, "cut.zip")]);
  await said.getByText(/^Fault: The zip cut\.zip \(500 bytes\) is cut off, or is none: .*\. Copy or download it again/).waitFor();
  assert.equal(await play(page).isDisabled(), true);
  assert.equal(await page.locator("#preview-words").textContent(), "");
  await dropPaths(page, [join(folder, "Shapes.zip")]);
  await page.getByText("12 images of 32×32 pixels in 2 classes, from Shapes").waitFor();
  await play(page).click();
  await trainedTo(page, 3);
  assert.deepEqual(errors, []);
});

test("what a preset promises is for the data that it was tried on", LIMIT, async (t) => {
  const { page, errors, address } = await openPage(t);
  await opened(page, address);
  const [about, preset] = [page.locator("#recipe-about"), page.getByRole("combobox", { name: "Preset" })];
  assert.match(await about.textContent(), /^Shapes within 200 steps/);
  await page.getByRole("combobox", { name: "Size" }).selectOption("32");
  await about.getByText("Tried on 2 classes of 16×16 pixels").waitFor();
  await page.getByRole("combobox", { name: "Size" }).selectOption("16");
  for (let number = 0; number < 12; number++) await page.locator(`#data-class-${number}`).check();
  await about.getByText("All of the shipped classes within 1,500 steps: two minutes").waitFor();
  assert.equal(await preset.inputValue(), "all-16");
  assert.deepEqual(errors, []);
});

test("the speed is one number, and curves are averages over faint single values", LIMIT, async (t) => {
  const { page, errors, address } = await openPage(t);
  await opened(page, address);
  await play(page).click();
  await trainedTo(page, 60);
  await paused(page);
  const [, , , speed] = await page.locator("#counts dd").allTextContents();
  assert.match(speed, /^[\d,]+$/);
  // the chart has its number for those who do not see it, and shows none of its own
  await page.getByRole("img", { name: new RegExp(`^Images per second: ${speed}$`) }).waitFor();
  assert.equal(await page.locator("#chart-speed figcaption").textContent(), "Images per second");
  // pixels of the first colour, by their opacity
  const drawn = (id) =>
    page.locator(`${id} canvas`).evaluate((canvas) => {
      const probe = Object.assign(document.createElement("i"), { style: "color: var(--curve-1)" });
      canvas.parentElement.append(probe);
      const colour = getComputedStyle(probe).color.match(/\d+/g).map(Number);
      probe.remove();
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      const found = { faint: 0, full: 0 };
      for (let at = 0; at < data.length; at += 4) {
        if (colour.some((value, channel) => Math.abs(value - data[at + channel]) > 6)) continue;
        if (data[at + 3] > 240) found.full += 1;
        else if (data[at + 3] > 80 && data[at + 3] < 98) found.faint += 1;
      }
      return found;
    });
  for (const id of ["#chart-losses", "#chart-scores"]) {
    const { faint, full } = await drawn(id);
    assert.ok(full > 30 && faint > 0.3 * full, `${id}: ${faint} faint, ${full} full`);
  }
  // but for the edges of its lines
  const { faint, full } = await drawn("#chart-sigmas");
  assert.ok(full > 30 && faint < 0.2 * full, `${faint} faint, ${full} full`);
  assert.deepEqual(errors, []);
});

test("a folder that is dropped is read with its class folders", LIMIT, async (t) => {
  const { page, errors, address } = await openPage(t);
  await opened(page, address);
  await dropPaths(page, [folderOf(t, shapes(6))]);
  await page.getByText(/^12 images of 16×16 pixels in 2 classes/).waitFor();
  assert.equal(await page.getByRole("radio", { name: "Your images" }).isChecked(), true);
  assert.deepEqual(errors, []);
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
  assert.equal(model.name, `biggan-avatars-1-800-images-16px-step-${g}.safetensors`);
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
