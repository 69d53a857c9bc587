/** The training view: what is kept in the browser, and when. With a fake trainer. */

import assert from "node:assert/strict";
import test from "node:test";
import { buildWithFake } from "./fake-site.mjs";
import { openSite, skip } from "./site.mjs";
import { counts, opened, paused, play, reset, trainedTo } from "./train-page.mjs";

const LIMIT = { skip, timeout: 120_000 };
const outDir = skip ? "" : await buildWithFake();

async function openPage(t) {
  const { page, errors, address } = await openSite(t, { outDir });
  return { page, errors, address: `${address}train.html` };
}

const kept = (page) => page.getByText(/^Kept in this browser at/).waitFor();
const stepsAre = (page, g) =>
  page.waitForFunction((g) => document.querySelector("#counts dd").textContent === String(g), g);

/** Trains to a number of steps and pauses, which keeps them. */
async function trainAndKeep(page, steps) {
  await play(page).click();
  await trainedTo(page, steps);
  await paused(page);
  await kept(page);
  return (await counts(page)).g;
}

/** Steps of the run that comes back. */
async function afterReload(page) {
  await page.reload();
  await page.getByText(/Your run is where you left it/).waitFor();
  return (await counts(page)).g;
}

test("a run is kept while it trains, and the browser is asked not to delete it", LIMIT, async (t) => {
  const { page, errors, address } = await openPage(t);
  await page.addInitScript(() => {
    window.asked = 0;
    StorageManager.prototype.persist = async () => ++window.asked > 0;
  });
  await opened(page, address);
  await play(page).click();
  await trainedTo(page, 20);
  await kept(page);
  assert.equal(await page.evaluate(() => window.asked), 1);
  assert.ok((await afterReload(page)) >= 20);
  assert.deepEqual(errors, []);
});

test("the browser asks before steps that are not kept are lost, and they are kept meanwhile", LIMIT, async (t) => {
  const { page, address } = await openPage(t);
  const questions = [];
  page.on("dialog", async (dialog) => {
    questions.push(dialog.type());
    await dialog.dismiss();
  });
  await opened(page, address);
  await play(page).click();
  await trainedTo(page, 20);
  const said = page.locator("#kept");
  await kept(page);
  // it is said anew with each checkpoint
  await said.evaluate((line) => (line.textContent = ""));
  await page.close({ runBeforeUnload: true });
  await kept(page);
  assert.deepEqual(questions, ["beforeunload"]);
  // nothing is lost: nothing is asked
  await paused(page);
  await kept(page);
  await page.waitForTimeout(500);
  const closed = page.waitForEvent("close");
  await page.close({ runBeforeUnload: true });
  await closed;
  assert.equal(questions.length, 1);
});

test("a checkpoint that is loaded over a longer training is kept, and can be undone", LIMIT, async (t) => {
  const { page, errors, address } = await openPage(t);
  await opened(page, address);
  const g = await trainAndKeep(page, 10);
  const downloading = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save a checkpoint" }).click();
  const path = await (await downloading).path();
  const longer = await trainAndKeep(page, g + 30);
  await page.getByLabel("Load a checkpoint").setInputFiles(path);
  await page.getByText(/^Continued from /).waitFor();
  await stepsAre(page, g);
  await page.getByRole("button", { name: "Undo" }).click();
  await stepsAre(page, longer);
  await page.getByLabel("Load a checkpoint").setInputFiles(path);
  await stepsAre(page, g);
  await page.waitForTimeout(500);
  assert.equal(await afterReload(page), g);
  assert.deepEqual(errors, []);
});

test("a run that begins while another is written is kept", LIMIT, async (t) => {
  const { page, errors, address } = await openPage(t);
  await opened(page, address);
  await page.evaluate(() => {
    const { put } = Cache.prototype;
    Cache.prototype.put = async function (...given) {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      return put.apply(this, given);
    };
  });
  await play(page).click();
  await trainedTo(page, 40);
  await paused(page);
  await reset(page).click();
  await stepsAre(page, 0);
  const g = await trainAndKeep(page, 3);
  await page.waitForTimeout(3000);
  assert.equal(await afterReload(page), g);
  assert.deepEqual(errors, []);
});

test("a Reset that is undone stays undone", LIMIT, async (t) => {
  const { page, errors, address } = await openPage(t);
  await opened(page, address);
  const g = await trainAndKeep(page, 30);
  await reset(page).click();
  await page.getByText("Started again from the beginning.").waitFor();
  await trainAndKeep(page, 3);
  await page.getByRole("button", { name: "Undo" }).click();
  await stepsAre(page, g);
  await page.waitForTimeout(500);
  assert.equal(await afterReload(page), g);
  assert.deepEqual(errors, []);
});

test("Start over can be undone", LIMIT, async (t) => {
  const { page, errors, address } = await openPage(t);
  await opened(page, address);
  const g = await trainAndKeep(page, 10);
  assert.equal(await afterReload(page), g);
  await page.getByRole("button", { name: "Start over" }).click();
  await stepsAre(page, "–");
  await page.getByRole("button", { name: "Undo" }).click();
  await stepsAre(page, g);
  await page.waitForTimeout(500);
  assert.equal(await afterReload(page), g);
  assert.deepEqual(errors, []);
});

test("a step that is asked for while a run ends is the first of the new one", LIMIT, async (t) => {
  const { page, errors, address } = await openPage(t);
  await opened(page, address);
  const g = await trainAndKeep(page, 10);
  assert.equal(await afterReload(page), g);
  const together = (first) =>
    page.evaluate((first) => {
      [...document.querySelectorAll("button")].find((button) => button.textContent === first).click();
      document.querySelector("#step-d").click();
    }, first);
  for (const first of ["Start over", "Reset"]) {
    await together(first);
    await stepsAre(page, 0);
    await page.waitForFunction(() => document.querySelector("#status").dataset.mode === "paused");
    await page.waitForFunction(() => document.querySelectorAll("#counts dd")[1].textContent === "1");
    assert.ok(await page.locator("#problem").isHidden());
  }
  assert.deepEqual(errors, []);
});

test("a second tab says that it keeps nothing, and keeps its run once the first is closed", LIMIT, async (t) => {
  const { page, address } = await openPage(t);
  await opened(page, address);
  const other = await page.context().newPage();
  await opened(other, address);
  const notice = other.locator(".notice").getByText(/another tab of this page stores its run/i);
  await notice.waitFor();
  await play(other).click();
  await trainedTo(other, 5);
  await paused(other);
  await other.locator("#kept").getByText(/not kept in this browser/).waitFor();
  await page.close();
  const g = await trainAndKeep(other, 10);
  assert.equal(await notice.count(), 0);
  assert.equal(await afterReload(other), g);
});
