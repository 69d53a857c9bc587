/** axe-core finds no violation in the training view, in light and dark, and all of it is reached by keyboard. */

import assert from "node:assert/strict";
import test from "node:test";
import { checkAccess, tabOrder } from "./axe.mjs";
import { buildWithFake } from "./fake-site.mjs";
import { openSite, skip } from "./site.mjs";
import { opened, paused, play, reset, step, trainedTo } from "./train-page.mjs";

const LIMIT = { skip, timeout: 240_000 };
const outDir = skip ? "" : await buildWithFake();
const openPage = async (t, options = {}) => {
  const site = await openSite(t, { outDir, ...options });
  return { ...site, address: `${site.address}train.html` };
};

for (const colorScheme of ["light", "dark"]) {
  for (const width of [390, 1280]) {
    test(`axe-core, ${colorScheme}, ${width} pixels wide`, LIMIT, async (t) => {
      const { page, address } = await openPage(t, {
        colorScheme,
        reducedMotion: "reduce",
        viewport: { width, height: 900 },
      });
      await opened(page, address);
      t.diagnostic(`at the beginning: ${await checkAccess(page, "at the beginning")} rules pass`);
      await page.locator("summary").evaluateAll((all) => all.forEach((summary) => summary.click()));
      await play(page).click();
      await trainedTo(page, 15);
      await checkAccess(page, "while it trains");
      await page.getByRole("button", { name: "Slow motion" }).click();
      await page.waitForFunction(() => document.querySelectorAll(".part.lit").length > 0);
      await checkAccess(page, "in slow motion");
      await paused(page);
      await step(page, "Both").click();
      await page.getByText("1 of 15", { exact: true }).waitFor();
      await page.getByRole("button", { name: "Next" }).click();
      t.diagnostic(`after a step: ${await checkAccess(page, "after a step")} rules pass`);
      await page.getByRole("combobox", { name: "Start from" }).selectOption("Fashion, 32 pixels");
      await page.locator("#origin-problem, #origin-about").getByText(/Fashion draws/).first().waitFor();
      await page.getByText(/images of 32×32/).waitFor();
      await checkAccess(page, "from a model");
      await page.getByRole("combobox", { name: "Start from" }).selectOption("Random weights");
      await page.getByRole("spinbutton", { name: "Width" }).fill("4");
      await reset(page).click();
      await page.getByText("Started again from the beginning.").waitFor();
      await page.getByRole("spinbutton", { name: "Batch" }).fill("1");
      await page.getByLabel("Load a checkpoint").setInputFiles({ name: "x", mimeType: "", buffer: Buffer.from("x") });
      await page.getByRole("alert").first().waitFor();
      await page.getByRole("radio", { name: "Your images" }).check();
      await page.evaluate(() => {
        const transfer = new DataTransfer();
        transfer.items.add(new File(["x"], "x.png"));
        dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
      });
      await page.waitForFunction(() => document.querySelector("#findings").children.length > 0);
      await checkAccess(page, "messages");
    });
  }
}

test("every control is reached by the tab key, in the order that is seen", LIMIT, async (t) => {
  const { page, address } = await openPage(t);
  await opened(page, address);
  const parts = ["Noise z", "Class y", "Generator G", "Fakes", "Real images", "Discriminator D", "Scores of D", "Loss"];
  parts.push("Gradient, Adam: D learns", "Gradient, Adam: G learns", "Orthogonal regularisation");
  parts.push("Average of G draws the samples");
  assert.deepEqual(await tabOrder(page), [
    ...["Sample", "Train", "play", "step-d", "step-g", "step-both", "slow"],
    "Layers whose largest singular value is shown",
    ...parts,
    "data-avatars",
    ...Array.from({ length: 12 }, (_, index) => `data-class-${index}`),
    "data-resolution",
    ...["origin", "recipe-preset", "recipe-width", "recipe-batch", "recipe-rate-g", "recipe-rate-d", "recipe-d-steps"],
    ...["recipe-seed", "More of the recipe", "What these values mean", "load-checkpoint"],
  ]);
});

test("a training is run by keyboard alone", LIMIT, async (t) => {
  const { page, errors, address } = await openPage(t);
  await opened(page, address);
  for (let presses = 0; presses < 3; presses++) await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await trainedTo(page, 10);
  // the focus stays on the button, which pauses now
  await page.keyboard.press("Enter");
  await page.getByText(/^Paused\./).waitFor();
  await page.keyboard.press("Tab");
  await page.keyboard.press(" ");
  await page.getByText("1 of 8", { exact: true }).waitFor();
  assert.deepEqual(errors, []);
});

test("the status is announced, and not at each step", LIMIT, async (t) => {
  const { page, address } = await openPage(t);
  await opened(page, address);
  await page.evaluate(() => {
    window.said = [];
    const regions = document.querySelectorAll("[role=status], [aria-live]");
    for (const region of regions) {
      new MutationObserver(() => window.said.push(region.textContent)).observe(region, {
        ...{ childList: true, characterData: true, subtree: true },
      });
    }
  });
  await play(page).click();
  await trainedTo(page, 60);
  await paused(page);
  const said = (await page.evaluate(() => window.said)).join("\n");
  assert.match(said, /Training on the CPU/);
  assert.match(said, /Paused/);
  assert.ok(said.split("\n").length < 12, said);
});
