/** The page of `cargo xtask demo` while builds of the wasm are still being made, and when they come. */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { openSite, settled, skip } from "./site.mjs";

const CONFIG = fileURLToPath(new URL("../vite.config.js", import.meta.url));

/** Builds the page into a folder, as if some builds of the wasm were not there. */
async function buildWithout(outDir, missing) {
  process.env.VITE_BEING_MADE = missing.join(",");
  try {
    await build({ configFile: CONFIG, logLevel: "error", build: { outDir, emptyOutDir: false } });
  } finally {
    delete process.env.VITE_BEING_MADE;
  }
}

test("the page draws without the builds that are being made, says so and offers them", { skip, timeout: 180_000 }, async (t) => {
  const outDir = mkdtempSync(join(tmpdir(), "biggan-demo-"));
  t.after(() => rmSync(outDir, { recursive: true, force: true }));
  await buildWithout(outDir, ["train-cpu", "sample-webgpu", "train-webgpu"]);
  const { page, errors, address } = await openSite(t, { outDir, serviceWorkers: "allow" });
  await page.goto(address);
  await settled(page, "Samples");
  const status = page.locator("#status");
  const being = /Runs on the CPU .*: the GPU build is being made; the CPU draws meanwhile\./;
  assert.match(await status.textContent(), being);

  await page.goto(`${address}train.html`);
  await page.getByText("The build that trains is being made").waitFor();
  const play = page.getByRole("button", { name: "Play", exact: true });
  assert.equal(await play.isDisabled(), true);

  await page.goto(address);
  await buildWithout(outDir, []);
  await page.getByText("A new version of this page is ready.").waitFor({ timeout: 60_000 });
  await page.getByRole("button", { name: "Reload" }).click();
  await page.waitForFunction(() => document.querySelector("#status")?.dataset.backend);
  assert.doesNotMatch(await status.textContent(), being);
  await page.goto(`${address}train.html`);
  await page.getByText("Ready: press Play").waitFor();
  assert.deepEqual(errors, []);
});
