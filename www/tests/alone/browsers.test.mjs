/** The core paths of the page in every browser that it supports: the same steps, by a visitor's own means. */

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import * as chromium from "../browsers/chromium.mjs";
import { openCopy } from "../browsers/copy.mjs";
import * as firefox from "../browsers/firefox.mjs";
import { drawn, fill, pixels, said, until } from "../browsers/page.mjs";
import * as webkit from "../browsers/webkit.mjs";
import { MODEL } from "../native.mjs";
import { assertSame } from "../pixels.mjs";
import { OWN } from "../site.mjs";
import { folderOf, shapes } from "../train-page.mjs";

const FIRST = "clay, seed 1, truncation 1";
/** Number of the classes of the page's own model, of each of which it shows a picture at first. */
const CLASSES = OWN.classes;
/** Of the pictures of some links in the browser that came first. */
const seen = new Map();

/** The same pixels in all browsers, but for one step where only one of two has relaxed SIMD. */
async function assertPixels(window, link) {
  const found = await pixels(window);
  if (!seen.has(link)) seen.set(link, found);
  assertSame(found, seen.get(link));
}

const PATHS = {
  async sample({ window, address }) {
    await window.goto(address);
    await drawn(window, "seed 1, truncation 1", CLASSES);
    await assertPixels(window, "");
    await window.click("#controls .primary");
    const seed = await until(window, "another seed", () => {
      const { value } = document.querySelector("#seed");
      return value !== "1" && value;
    });
    await drawn(window, `seed ${seed}, truncation 1`, CLASSES);
  },

  async class({ window, address }) {
    await window.goto(`${address}#n=4`);
    await drawn(window, "seed 1, truncation 1", CLASSES);
    await window.click("#class-chips button[aria-label=sprouts]");
    await drawn(window, "sprouts, seed 1, truncation 1", 4);
    await assertPixels(window, "class=8&n=4");
  },

  async "link, back and reload"({ window, another, address }) {
    await window.goto(`${address}#class=0&n=4`);
    await drawn(window, FIRST, 4);
    await window.run(() => (document.querySelector("#seed").closest("details").open = true));
    await fill(window, "#seed", "77");
    await drawn(window, "clay, seed 77, truncation 1", 4);
    const link = await until(window, "the link", () => location.hash.includes("seed=77") && location.href);
    const other = await another();
    await other.goto(link);
    await drawn(other, "clay, seed 77, truncation 1", 4);
    assert.deepEqual(await pixels(other), await pixels(window));
    await window.run(() => history.back());
    await drawn(window, FIRST, 4);
    await window.run(() => history.forward());
    await drawn(window, "clay, seed 77, truncation 1", 4);
    await window.reload();
    await drawn(window, "clay, seed 77, truncation 1", 4);
  },

  async "a saved PNG, dropped"({ window, address, downloads }) {
    await window.goto(`${address}#class=8&seed=7&n=4`);
    await drawn(window, "sprouts, seed 7, truncation 1", 4);
    await window.click("#save");
    const file = await downloaded(downloads, ".png");
    assert.equal(readFileSync(file).toString("latin1", 1, 4), "PNG");
    await window.goto("about:blank");
    await window.goto(address);
    await drawn(window, "seed 1, truncation 1", CLASSES);
    await window.drop(file);
    await drawn(window, "sprouts, seed 7, truncation 1", 4);
    await assertPixels(window, "class=8&seed=7&n=4");
  },

  async "a folder of images, dropped"({ t, window, address }) {
    const folder = folderOf(t, shapes(10));
    await openTraining(window, address);
    await window.drop(folder);
    await said(window, "#preview-words", "20 images of 16×16 pixels in 2 classes");
  },

  async "20 steps of training"({ t, name, window, address }) {
    await openTraining(window, address);
    await window.click("#play");
    await until(window, "20 steps", () => Number(document.querySelector("#counts dd").textContent) >= 20);
    // what is kept from here on is the run where it stands
    await window.run(() => document.querySelector("#kept").replaceChildren());
    await window.click("#play");
    // a step may have been under way at the click
    const steps = await until(window, "the end of the last step", () => {
      const { dataset, ariaBusy } = document.querySelector("#status");
      return dataset.mode === "paused" && ariaBusy === "false" && document.querySelector("#counts dd").textContent;
    });
    await t.test(KEPT, async () => {
      await said(window, "#kept", "Kept in this browser at");
      await window.reload();
      await said(window, ".notice", "Your run is where you left it");
      assert.equal(await window.run(() => document.querySelector("#counts dd").textContent), steps);
    });
  },

  async offline({ window, address, goAway }) {
    await window.goto(address);
    await drawn(window, "seed 1, truncation 1", CLASSES);
    await controlled(window);
    await goAway();
    await window.reload();
    await drawn(window, "seed 1, truncation 1", CLASSES);
    await window.goto(`${address}index.html?backend=cpu#class=3&seed=7&n=4`);
    await drawn(window, "landscape, seed 7, truncation 1", 4);
  },

  async "an update in two tabs"({ t, window, another, address, next }) {
    const other = await another();
    for (const tab of [window, other]) {
      await tab.goto(`${address}#class=3&seed=7&n=4`);
      await drawn(tab, "landscape, seed 7, truncation 1", 4);
      await controlled(tab);
    }
    next();
    await window.reload();
    assert.equal(await window.run(() => document.title), "BigGAN in the browser");
    await clickReload(window);
    await until(window, "the next version", () => document.title === "The next version");
    await drawn(window, "landscape, seed 7, truncation 1", 4);
    // the other tab works on, and takes the next version when it is asked to
    await other.pick("#files", join(folderOf(t, { "mine.safetensors": readFileSync(MODEL) }), "mine.safetensors"));
    await said(other, "#card-facts", "mine.safetensors");
    await clickReload(other);
    await until(other, "the next version", () => document.title === "The next version");
    await drawn(other, "landscape, seed 7, truncation 1", 4);
  },
};

const controlled = (window) => until(window, "the service worker", () => navigator.serviceWorker.controller !== null);

async function openTraining(window, address) {
  await window.goto(`${address}train.html?backend=cpu`);
  await until(window, "the data", () => document.querySelectorAll("#preview canvas").length > 0);
}

/** Takes the offer of a new version. */
const clickReload = (window) =>
  until(window, "the offer of a new version", () => {
    const button = [...document.querySelectorAll(".notice button")].find(({ textContent }) => textContent === "Reload");
    button?.click();
    return button !== undefined;
  });

/** The path of the file that a browser has saved. */
async function downloaded(folder, extension) {
  for (let tries = 300; tries > 0; tries--) {
    const [name] = readdirSync(folder).filter((name) => name.endsWith(extension));
    if (name && readFileSync(join(folder, name)).includes("IEND")) return join(folder, name);
    await sleep(30);
  }
  throw new Error(`nothing was saved: ${readdirSync(folder)}`);
}

const KEPT = "they are kept over a reload";

for (const { name, missing, launch } of [chromium, firefox, webkit]) {
  test(`the page in ${name}`, { skip: missing, timeout: 300_000 }, async (t) => {
    const downloads = mkdtempSync(join(tmpdir(), "biggan-saved-"));
    t.after(() => rmSync(downloads, { recursive: true }));
    const { version, window, another, close } = await launch(downloads);
    t.after(close);
    t.diagnostic(`${name} ${version}`);
    for (const [path, walk] of Object.entries(PATHS)) {
      await t.test(path, async (t) => {
        // an origin of its own, so that nothing is kept from path to path
        const site = await openCopy(t);
        const others = [];
        t.after(async () => {
          for (const other of others) await other.close();
        });
        const open = async () => {
          others.push(await another());
          return others.at(-1);
        };
        await walk({ t, name, window, another: open, downloads, ...site });
      });
    }
  });
}
