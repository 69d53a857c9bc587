/** The page draws what `native-train sample` draws, on both backends. */

import assert from "node:assert/strict";
import test from "node:test";
import { samplePixels } from "./native.mjs";
import { assertClose } from "./pixels.mjs";
import { draw, openSite, pixels, skip, SOFTWARE_GPU } from "./site.mjs";

const BACKENDS = [
  // rounding differs between instruction sets; it can move a value over the edge of a step
  { backend: "cpu", tolerance: 1, args: [] },
  { backend: "webgpu", tolerance: 2, args: SOFTWARE_GPU },
];

const REQUESTS = [
  { className: "Dress", classIndex: 3, truncation: 0.5, seed: 7, count: 4 },
  { className: "Ankle boot", classIndex: 9, truncation: "off", seed: 123456789, count: 4 },
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
}
