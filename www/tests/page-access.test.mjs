/** axe-core finds no violation in any view, in light and dark. */

import assert from "node:assert/strict";
import test from "node:test";
import { checkAccess as check, tabOrder } from "./axe.mjs";
import { openSite, settled, skip } from "./site.mjs";

const LIMIT = { skip, timeout: 240_000 };

const LISTS = { samples: "Samples", between: "Interpolation", truncations: "Truncations", breeding: "Children" };

for (const colorScheme of ["light", "dark"]) {
  for (const width of [390, 1280]) {
    test(`axe-core, ${colorScheme}, ${width} pixels wide`, LIMIT, async (t) => {
      const { page, address } = await openSite(t, {
        colorScheme,
        reducedMotion: "reduce",
        viewport: { width, height: 900 },
      });
      await page.goto(address);
      for (const [view, list] of Object.entries(LISTS)) {
        await page.goto("about:blank");
        await page.goto(`${address}#view=${view}&n=8&steps=3:0.2,4:0.1&index=1&to.seed=4&z=0,0.4`);
        await settled(page, list);
        t.diagnostic(`${view}: ${await check(page, view)} rules pass`);
      }
      await page.getByRole("button", { name: "Mix in a class" }).click();
      await page.getByRole("button", { name: "Mix in a class" }).click();
      await page.getByRole("checkbox", { name: "Truncation off" }).check();
      await check(page, "a mix, truncation off");
      const field = page.getByRole("combobox", { name: "Class", exact: true });
      await field.click();
      await check(page, "the list of classes");
      await field.fill("xyz");
      await check(page, "no class found");
      await field.press("Escape");
      await page.getByLabel("Model or saved picture").setInputFiles({
        name: "x.txt",
        mimeType: "text/plain",
        buffer: Buffer.from("x"),
      });
      await page.evaluate(() => (location.hash = "#seed=-1"));
      await page.getByRole("spinbutton", { name: "Seed" }).fill("-1");
      await page.locator(".notice").waitFor();
      await check(page, "messages");
      await page.goto(`${address}check.html`);
      await page.getByText(/^(Done|Failed)\.$/).waitFor();
      await check(page, "the check of the browser");
    });
  }
}

test("axe-core while the model is loading and after it has failed", LIMIT, async (t) => {
  const { page, address } = await openSite(t);
  let fail;
  const held = new Promise((resolve) => (fail = resolve));
  await page.route("**/models/*", async (route) => {
    await held;
    await route.fulfill({ status: 404, body: "" });
  });
  await page.goto(address);
  await page.getByRole("progressbar").waitFor();
  await check(page, "loading");
  fail();
  await page.getByRole("alert").waitFor();
  await check(page, "failed");
});

test("every control is reached by the tab key, in the order that is seen", LIMIT, async (t) => {
  const { page, address } = await openSite(t);
  await page.goto(address);
  await settled(page, "Samples");
  assert.deepEqual(await tabOrder(page), [
    ...["Sample", "Train"],
    ...["tab-samples", "share", "save", "Choose picture 1", "pin", "class", "add-class"],
    ...["truncation", "truncation-off"].reverse(),
    ...["seed", "lock", "count", "sample", "redraw", "chunk-0", "chunk-1", "chunk-2", "chunk-3"],
    ...["model-address", "Load", "files"],
  ]);
});
