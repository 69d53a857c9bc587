/** Training steps in the browser compute what native ones compute. */

import assert from "node:assert/strict";
import test from "node:test";
import { checkRun } from "./native.mjs";
import { decode } from "./safetensors.mjs";
import { openSite, skip, SOFTWARE_GPU } from "./site.mjs";

// at this seed no ReLU's input lies so close to 0 that rounding moves it to the other side, which
// changes a gradient by any amount; of the seeds 1 to 5 only 1 has such a place
const SEED = 3;
const STEPS = 3;

/** Losses and gradients: absolute, and relative to the tensor's largest value. */
const ABSOLUTE = 1e-5;
const RELATIVE = 1e-4;
/** With beta1 = 0 Adam turns the rounding of a tiny gradient into a step, so a share is required. */
const WEIGHT_TOLERANCE = 1e-4;
const WEIGHT_SHARE = 0.995;

const BACKENDS = [
  { backend: "cpu", factor: 1, args: [] },
  { backend: "webgpu", factor: 10, args: SOFTWARE_GPU },
];

for (const { backend, factor, args } of BACKENDS) {
  test(`${backend}: three training steps`, { skip, timeout: 900_000 }, async (t) => {
    const { page, errors, address } = await openSite(t, { args });
    await page.goto(`${address}check.html?backend=${backend}&steps=${STEPS}&seed=${SEED}`);
    const expected = checkRun(SEED, STEPS);
    await page.getByText(/^(Done|Failed)\.$/).waitFor({ timeout: 800_000 });
    const report = JSON.parse(await page.locator("#report").textContent());
    assert.equal(report.error, undefined);
    assert.equal(report.selfTest.agrees, true);
    t.diagnostic(`self-test: ${report.selfTest.max_difference}; ${report.trainingMs} ms`);

    const downloading = page.waitForEvent("download");
    await page.getByRole("link", { name: "Save the numbers" }).click();
    const chunks = [];
    for await (const chunk of await (await downloading).createReadStream()) chunks.push(chunk);
    const found = decode(new Uint8Array(Buffer.concat(chunks)));

    assert.deepEqual([...found.keys()].sort(), [...expected.keys()].sort());
    assertClose(t, found, expected, factor);
    assertWeights(t, found, expected);
    assert.deepEqual(errors, []);
  });
}

function assertClose(t, found, expected, factor) {
  let worst = 0;
  for (const [name, { values }] of expected) {
    if (name !== "losses" && !name.startsWith("gradients.")) continue;
    const largest = values.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
    const allowed = factor * (ABSOLUTE + RELATIVE * largest);
    const others = found.get(name).values;
    values.forEach((value, index) => {
      const difference = Math.abs(value - others[index]);
      worst = Math.max(worst, difference / allowed);
      assert.ok(
        difference <= allowed,
        `${name}[${index}]: native ${value}, browser ${others[index]}, allowed ${allowed} apart`,
      );
    });
  }
  t.diagnostic(`losses and gradients: at most ${(100 * worst).toFixed(1)} % of the tolerance`);
}

function assertWeights(t, found, expected) {
  let [all, close] = [0, 0];
  for (const [name, { values }] of expected) {
    if (!name.startsWith("weights.")) continue;
    const others = found.get(name).values;
    values.forEach((value, index) => {
      all += 1;
      close += Math.abs(value - others[index]) <= WEIGHT_TOLERANCE ? 1 : 0;
    });
  }
  t.diagnostic(`weights: ${close} of ${all} within ${WEIGHT_TOLERANCE}`);
  assert.ok(close >= WEIGHT_SHARE * all, `${close} of ${all} weights agree`);
}
