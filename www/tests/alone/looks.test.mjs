/**
 * The views of both pages in the other browsers (page-looks has Chromium's), on a phone and a laptop: nothing scrolls
 * sideways, nothing is cut off. With BIGGAN_LOOKS=FOLDER pictures of all of them, in every browser, at a third width, dark and
 * in forced colours, where the browser has these.
 */

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import test from "node:test";
import * as chromium from "../browsers/chromium.mjs";
import { openCopy } from "../browsers/copy.mjs";
import * as firefox from "../browsers/firefox.mjs";
import { until } from "../browsers/page.mjs";
import * as webkit from "../browsers/webkit.mjs";

const FOLDER = process.env.BIGGAN_LOOKS;
const SIZES = { 390: 844, 1280: 800, ...(FOLDER && { 2560: 1300 }) };
const BROWSERS = [...(FOLDER ? [chromium] : []), firefox, webkit];
const SCHEMES = FOLDER ? ["light", "dark", "forced"] : ["light"];

const sampler = (list, link) => ({ link: `index.html#${link}`, isShown: isDrawn, args: [list] });
const VIEWS = {
  samples: sampler("Samples", ""),
  mix: sampler("Samples", "class=4:60,7:40&seed=12&z=0,0.5,-0.75,0.2,0&t=0.7&n=36"),
  between: sampler("Interpolation", "class=4&seed=4&n=16&view=between&to.class=8&to.seed=9"),
  truncations: sampler("Truncations", "class=7&seed=12&view=truncations"),
  breeding: sampler("Children", "class=1&seed=5&index=2&steps=2:0.25,9:0.25,4:0.25&view=breeding&n=12&size=0.35"),
  train: { link: "train.html?backend=cpu", isShown: () => document.querySelectorAll("#preview canvas").length > 0, args: [] },
};

function isDrawn(name) {
  const list = document.querySelector(`[aria-label="${name}"]:is(ul, ol)`);
  const places = [...(list?.children ?? [])];
  const areWhole = places.length > 0 && places.every((place) => place.querySelector("img")?.complete);
  return areWhole && list.checkVisibility() && list.getAttribute("aria-busy") === "false";
}

/** What reaches over the window's right edge, or over its own. */
function cutOff() {
  const width = document.documentElement.clientWidth;
  return [...document.querySelectorAll("body *")]
    .filter((element) => element.checkVisibility() && !element.closest(".strip, .lineage, .chips, .unseen, svg"))
    .filter(
      (element) =>
        element.getBoundingClientRect().right > width + 0.5 ||
        (element.matches("button") && element.scrollWidth > element.clientWidth + 1),
    )
    .map((element) => `${element.tagName} ${element.id} ${element.textContent.trim().slice(0, 40)}`);
}

for (const { name, missing, launch } of BROWSERS) {
  for (const scheme of SCHEMES) {
    test(`looks in ${name}: ${scheme}`, { skip: missing, timeout: 300_000 }, async (t) => {
      const { window, close } = await launch("/tmp", { scheme });
      t.after(close);
      if (!(await window.shows(scheme))) return t.skip(`${name} has none of it`);
      const { address } = await openCopy(t);
      for (const [view, { link, isShown, args }] of Object.entries(VIEWS)) {
        for (const [width, height] of Object.entries(SIZES)) {
          await window.resize(Number(width), height);
          await window.goto("about:blank");
          await window.goto(`${address}${link}`);
          await until(window, view, isShown, ...args);
          const shown = await window.run(() => innerWidth);
          assert.ok(shown === Number(width) || shown === window.leastWidth, `${shown} pixels, not ${width}`);
          assert.deepEqual(await window.run(cutOff), [], `${view} at ${width}`);
          if (!FOLDER) continue;
          await window.run(() => document.activeElement.blur());
          mkdirSync(FOLDER, { recursive: true });
          writeFileSync(`${FOLDER}/${name.toLowerCase()}-${view}-${width}-${scheme}.png`, await window.shot());
        }
      }
    });
  }
}
