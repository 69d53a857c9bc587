/** axe-core finds no violation in any view, in light and dark. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { checkAccess as check, tabOrder } from "./axe.mjs";
import { openSite, settled, skip } from "./site.mjs";

const LIMIT = { skip, timeout: 240_000 };

const OFFERS = JSON.parse(readFileSync(new URL("../../models/index.json", import.meta.url), "utf8"));
const LISTS = { samples: "Samples", between: "Interpolation", truncations: "Truncations", breeding: "Children" };

for (const colorScheme of ["light", "dark"]) {
  for (const width of [390, 1280]) {
    test(`axe-core, ${colorScheme}, ${width} pixels wide`, LIMIT, async (t) => {
      const { page, address } = await openSite(t, {
        colorScheme,
        reducedMotion: "reduce",
        viewport: { width, height: 900 },
      });
      const { page: found } = await openSite(t, {
        colorScheme,
        viewport: { width, height: 900 },
        folded: true,
        own: true,
      });
      await found.goto(address);
      await settled(found, "Samples");
      await check(found, "as visitors find it");
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
    ...["tab-samples", "Choose picture 1", "every-class", "T-shirt/top", "New pictures", "truncation"],
    ...["Details", "truncation-off", "seed", "lock", "add-class", "chunk-0", "chunk-1", "chunk-2", "chunk-3"],
    ...["pin", "single", "share", "save"],
    ...OFFERS.map(({ name }, index) => (index === 0 ? `${name} is in use` : `Load ${name}`)),
    ...["Open a file or an address", "model-address", "Load", "files", "About this model"],
    ...["The paper (Brock, Donahue and Simonyan 2018)", "Licences of others’ code"],
  ]);
});
