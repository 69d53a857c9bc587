/** The page without a network, and its next version. */

import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { preview } from "vite";
import { CHROMIUM, draw, drawn, settled, skip, unfold } from "./site.mjs";

const LIMIT = { skip, timeout: 180_000 };
const DIST = fileURLToPath(new URL("../dist/", import.meta.url));

/** A host that redirects `/index.html` to `/`, as some do. */
const redirecting = {
  name: "redirecting",
  configurePreviewServer: ({ middlewares }) =>
    void middlewares.use((request, response, next) => {
      if (!request.url.startsWith("/index.html")) return next();
      response.writeHead(301, { Location: "/" }).end();
    }),
};

/** A copy of the build with a server and a browser that keeps service workers. */
async function openCopy(t, plugins = []) {
  const folder = mkdtempSync(join(tmpdir(), "biggan-page-"));
  cpSync(DIST, folder, { recursive: true });
  const server = await preview({
    logLevel: "error",
    plugins,
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
  const context = await browser.newContext();
  await unfold(context);
  const page = await context.newPage();
  const requests = [];
  page.context().on("request", (request) => requests.push(request.url()));
  const address = `http://127.0.0.1:${server.httpServer.address().port}/`;
  return { folder, page, address, close, requests };
}

/** Publishes another version. */
function publishNext(folder) {
  const change = (name, from, to) => {
    const text = readFileSync(join(folder, name), "utf8");
    assert.match(text, from);
    writeFileSync(join(folder, name), text.replace(from, to));
  };
  change("index.html", /<title>.*<\/title>/, "<title>The next version</title>");
  change("service-worker.js", /^const VERSION = "\w+"/, 'const VERSION = "next"');
}

/** The versions that the browser keeps. */
const versions = (page) =>
  page.evaluate(async () => (await caches.keys()).filter((key) => key.startsWith("biggan-page")));
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
    await draw(page, { className: "sprouts", truncation: 0.5, seed: 3, count: 3 });
  }
});

test("a new version waits for the visitor and then replaces the old one", LIMIT, async (t) => {
  const { folder, page, address } = await openCopy(t);
  await page.goto(address);
  await settled(page, "Samples");
  await controlled(page);
  const [old] = await versions(page);
  publishNext(folder);
  await page.goto(`${address}#class=3&seed=7&n=4`);
  await page.reload();
  // the old version goes on until the visitor says so
  assert.equal(await page.title(), "BigGAN in the browser");
  const notice = page.getByText("A new version of this page is ready.");
  await notice.waitFor();
  await drawn(page, "landscape, seed 7, truncation 1", 4);
  await page.getByRole("button", { name: "Reload" }).click();
  await page.waitForFunction(() => document.title === "The next version");
  // at the same state
  await drawn(page, "landscape, seed 7, truncation 1", 4);
  await page.waitForFunction(async (old) => !(await caches.has(old)), old);
  assert.equal((await versions(page)).length, 1);
  assert.equal(await notice.count(), 0);
});

test("a host that redirects index.html serves the page again and again", LIMIT, async (t) => {
  const { page, address, close } = await openCopy(t, [redirecting]);
  await page.goto(address);
  await settled(page, "Samples");
  await controlled(page);
  for (const visit of [() => page.reload(), () => page.goto(`${address}index.html#seed=3`), close, () => page.reload()]) {
    await visit();
    await settled(page, "Samples");
  }
});

test("with two tabs, one goes on with the old version while the other has the new one", LIMIT, async (t) => {
  const { folder, page, address } = await openCopy(t);
  await page.goto(address);
  await settled(page, "Samples");
  await controlled(page);
  const other = await page.context().newPage();
  await other.goto(address);
  await settled(other, "Samples");
  const [old] = await versions(page);
  publishNext(folder);
  // neither the next version nor the server has the old files
  const isOld = (name) => /sample-cpu/.test(name);
  const worker = join(folder, "service-worker.js");
  const [files] = /\[.*\]/.exec(readFileSync(worker, "utf8"));
  const left = JSON.stringify(JSON.parse(files).filter((name) => !isOld(name)));
  writeFileSync(worker, readFileSync(worker, "utf8").replace(files, left));
  for (const name of readdirSync(join(folder, "assets"))) if (isOld(name)) rmSync(join(folder, "assets", name));
  await page.reload();
  for (const tab of [page, other]) await tab.getByText("A new version of this page is ready.").waitFor();
  await page.getByRole("button", { name: "Reload" }).click();
  await page.waitForFunction(() => document.title === "The next version");
  // a new worker of the old version opens a model
  await other.getByLabel("Model or saved picture").setInputFiles(fileURLToPath(new URL("../../models/fashion32.safetensors", import.meta.url)));
  await other.getByText("fashion32.safetensors, 0.52 MB").waitFor();
  await draw(other, { className: "Bag", truncation: 0.5, seed: 3, count: 3 });
  assert.equal(await other.locator("#open-problem").isHidden(), true);
  await other.getByRole("button", { name: "Reload" }).click();
  await other.waitForFunction(() => document.title === "The next version");
  await page.close();
  await other.reload();
  await other.waitForFunction(async (old) => !(await caches.has(old)), old);
});
