/** Which backend runs, why, and what happens when the GPU fails. */

import assert from "node:assert/strict";
import test from "node:test";
import { samplePixels } from "./native.mjs";
import { assertClose } from "./pixels.mjs";
import { draw, openSite, pixels, skip, SOFTWARE_GPU } from "./site.mjs";

const LIMIT = { skip, timeout: 300_000 };
const REQUEST = { className: "Dress", classIndex: 3, truncation: 0.5, seed: 7, count: 2 };

/** The backend and the reason that the page states. */
async function stated(page) {
  const status = page.locator("[data-backend]");
  await status.waitFor({ timeout: 120_000 });
  return [await status.getAttribute("data-backend"), await status.getAttribute("data-reason")];
}

/** Makes the software adapter look like hardware to the page. */
const pretendHardware = (page) =>
  page.addInitScript(() => {
    const info = { vendor: "acme", architecture: "", device: "", description: "" };
    Object.defineProperty(GPUAdapter.prototype, "info", {
      get: () => ({ ...info, isFallbackAdapter: false }),
    });
    Object.defineProperty(GPUAdapter.prototype, "isFallbackAdapter", { get: () => false });
  });

test("a software GPU is refused, with the reason", LIMIT, async (t) => {
  const { page, errors, address } = await openSite(t, { args: SOFTWARE_GPU });
  await page.goto(address);
  assert.deepEqual(await stated(page), ["cpu", "fallback-adapter"]);
  assert.match(await page.getByRole("status").textContent(), /Runs on the CPU .*software/);
  assert.deepEqual(errors, []);
});

test("without a GPU the CPU runs", LIMIT, async (t) => {
  const { page, address } = await openSite(t);
  await page.goto(address);
  const [backend, reason] = await stated(page);
  assert.equal(backend, "cpu");
  assert.match(reason, /^no-(webgpu|adapter)$/);
});

test("a hardware GPU whose numbers agree runs", LIMIT, async (t) => {
  const { page, errors, address } = await openSite(t, { args: SOFTWARE_GPU });
  await pretendHardware(page);
  await page.goto(address);
  assert.deepEqual(await stated(page), ["webgpu", "hardware"]);
  assert.deepEqual(errors, []);
});

test("where the GPU build does not start the CPU runs", LIMIT, async (t) => {
  const { page, address } = await openSite(t, { args: SOFTWARE_GPU });
  await pretendHardware(page);
  // the GPU build is the first wasm that the page asks for
  let first = true;
  await page.context().route("**/*.wasm", (route) => {
    const answer = first ? route.fulfill({ status: 404, body: "" }) : route.continue();
    first = false;
    return answer;
  });
  await page.goto(address);
  assert.deepEqual(await stated(page), ["cpu", "start-failed"]);
  await draw(page, REQUEST);
});

test("where the GPU is lost it starts again, and the second time the CPU goes on", LIMIT, async (t) => {
  const { page, address } = await openSite(t, { args: SOFTWARE_GPU });
  await page.goto(`${address}?backend=webgpu`);
  assert.deepEqual(await stated(page), ["webgpu", "forced"]);
  await draw(page, { ...REQUEST, seed: 1 }, 120_000);
  const session = await page.context().browser().newBrowserCDPSession();
  // another seed each time: the page keeps the pictures that it has drawn
  for (const [seed, expected] of [
    [7, ["webgpu", "forced"]],
    [8, ["cpu", "lost"]],
  ]) {
    await session.send("Browser.crashGpuProcess");
    const request = { ...REQUEST, seed };
    await draw(page, request, 120_000);
    assert.deepEqual(await stated(page), expected);
    assertClose(await pixels(page), samplePixels(request), 1);
  }
});
