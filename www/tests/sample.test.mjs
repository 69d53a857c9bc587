/** The page draws what `native-train sample` draws, on both backends. */

import assert from "node:assert/strict";
import test from "node:test";
import { picturePixels, samplePixels } from "./native.mjs";
import { assertClose } from "./pixels.mjs";
import { draw, openSite, pixels, settled, skip, SOFTWARE_GPU } from "./site.mjs";

const BACKENDS = [
  // rounding differs between instruction sets; it can move a value over the edge of a step
  { backend: "cpu", tolerance: 1, args: [] },
  { backend: "webgpu", tolerance: 2, args: SOFTWARE_GPU },
];

const REQUESTS = [
  { className: "Dress", classIndex: 3, truncation: 0.5, seed: 7, count: 4 },
  { className: "Ankle boot", classIndex: 9, truncation: "off", seed: 123456789, count: 4 },
];

/** Links, and the pictures that they mean. */
const LARGEST = "18446744073709551615";
const BRED = [
  { seed: 5, size: 0.3 },
  { seed: 70, size: 0.2 },
];
const DRESS_BAG = [
  { class: 3, weight: 3 },
  { class: 8, weight: 1 },
];
const LINKS = [
  {
    link: "class=9&seed=4&t=off&n=3&view=between&to.class=1&to.seed=9&to.index=2&to.z=1",
    list: "Interpolation",
    truncation: "off",
    pictures: [0, 0.5, 1].map((at) => ({
      from: { classes: [{ class: 9, weight: 1 }], z: { seed: 4 } },
      to: {
        point: { classes: [{ class: 1, weight: 1 }], z: { seed: 9, index: 2, chunks: [1] } },
        at,
      },
    })),
  },
  {
    link: `class=3:3,8:1&seed=${LARGEST}&index=6&z=0,0.5,-0.75&steps=5:0.3,70:0.2&t=0.7&n=3&view=breeding&size=0.4&litter=1`,
    list: "Children",
    truncation: 0.7,
    // the children of litter 1 have the seeds from 65 on
    pictures: [65, 66, 67].map((seed) => ({
      from: {
        classes: DRESS_BAG,
        z: { seed: LARGEST, index: 6, steps: [...BRED, { seed, size: 0.4 }], chunks: [0, 0.5, -0.75] },
      },
    })),
  },
];

for (const { backend, tolerance, args } of BACKENDS) {
  test(`${backend}: pixels of the page`, { skip, timeout: 600_000 }, async (t) => {
    const { page, errors, address } = await openSite(t, { args });
    await page.goto(`${address}?backend=${backend}`);
    await page.locator(`[data-backend="${backend}"]`).waitFor({ timeout: 300_000 });
    assert.equal(await page.getByRole("status").getAttribute("data-reason"), "forced");
    for (const request of REQUESTS) {
      await draw(page, request, 300_000);
      const largest = assertClose(await pixels(page), samplePixels(request), tolerance);
      t.diagnostic(`${request.className}: channels differ by at most ${largest} of 255`);
    }
    t.diagnostic(await page.locator("#timing").textContent());
    assert.deepEqual(errors, []);
  });

  test(`${backend}: pictures of links`, { skip, timeout: 600_000 }, async (t) => {
    const { page, errors, address } = await openSite(t, { args });
    for (const { link, list, truncation, pictures } of LINKS) {
      await page.goto("about:blank");
      await page.goto(`${address}?backend=${backend}#${link}`);
      await settled(page, list, 300_000);
      const expected = picturePixels(pictures, truncation);
      const largest = assertClose(await pixels(page, list), expected, tolerance);
      t.diagnostic(`${list}: channels differ by at most ${largest} of 255`);
    }
    assert.deepEqual(errors, []);
  });
}
