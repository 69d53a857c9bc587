/** The page without a network, and its next version. */

import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { preview } from "vite";
import { CHROMIUM, draw, drawn, settled, skip } from "./site.mjs";

const LIMIT = { skip, timeout: 180_000 };
const DIST = fileURLToPath(new URL("../dist/", import.meta.url));

/** A copy of the build with a server and a browser that keeps service workers. */
async function openCopy(t) {
  const folder = mkdtempSync(join(tmpdir(), "biggan-page-"));
  cpSync(DIST, folder, { recursive: true });
  const server = await preview({
    logLevel: "error",
    build: { outDir: folder },
    preview: { port: 0, host: "127.0.0.1" },
  });
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ["--no-sandbox", "--disable-dev-shm-usage"],
  });
  const close = () => {
    server.httpServer.closeAllConnections();
    return server.close();
  };
  t.after(async () => {
    await browser.close();
    await close();
    rmSync(folder, { recursive: true });
  });
  const page = await (await browser.newContext()).newPage();
  const requests = [];
  page.context().on("request", (request) => requests.push(request.url()));
  const address = `http://127.0.0.1:${server.httpServer.address().port}/`;
  return { folder, page, address, close, requests };
}

const controlled = (page) => page.waitForFunction(() => navigator.serviceWorker?.controller);

test("after the first visit the page works without a network", LIMIT, async (t) => {
  const { page, address, close, requests } = await openCopy(t);
  await page.goto(address);
  await settled(page, "Samples");
  await controlled(page);
  // nothing goes elsewhere, and what only some pages need is not fetched ahead
  assert.deepEqual(requests.filter((url) => !/^(blob:)?http:\/\/127\.0\.0\.1/.test(url)), []);
  assert.deepEqual(requests.filter((url) => /train-(cpu|webgpu)|sample-webgpu/.test(url)), []);
  assert.ok(requests.some((url) => /sample-cpu/.test(url)));
  await close();
  for (const visit of [
    () => page.reload(),
    () => page.goto(`${address}?backend=cpu#class=3&seed=7&n=4`),
    () => page.goto(`${address}index.html#class=3&seed=7&n=4`),
  ]) {
    await visit();
    await settled(page, "Samples");
    await draw(page, { className: "Bag", truncation: 0.5, seed: 3, count: 3 });
  }
});

test("a new version waits for the visitor and then replaces the old one", LIMIT, async (t) => {
  const { folder, page, address } = await openCopy(t);
  await page.goto(address);
  await settled(page, "Samples");
  await controlled(page);
  const cachesNow = () => page.evaluate(async () => (await caches.keys()).filter((key) => key.startsWith("biggan-page")));
  const [old] = await cachesNow();

  const change = (name, from, to) => {
    const text = readFileSync(join(folder, name), "utf8");
    assert.match(text, from);
    writeFileSync(join(folder, name), text.replace(from, to));
  };
  change("index.html", /<title>.*<\/title>/, "<title>The next version</title>");
  change("service-worker.js", /^const VERSION = "\w+"/, 'const VERSION = "next"');

  await page.goto(`${address}#class=3&seed=7&n=4`);
  await page.reload();
  // the old version goes on until the visitor says so
  assert.equal(await page.title(), "BigGAN in the browser");
  const notice = page.getByText("A new version of this page is ready.");
  await notice.waitFor();
  await drawn(page, "Dress, seed 7, truncation 1", 4);
  await page.getByRole("button", { name: "Reload" }).click();
  await page.waitForFunction(() => document.title === "The next version");
  // at the same state
  await drawn(page, "Dress, seed 7, truncation 1", 4);
  const left = await cachesNow();
  assert.equal(left.length, 1);
  assert.notEqual(left[0], old);
  assert.equal(await notice.count(), 0);
});
