/** The example sites, as a visitor sees them. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { build } from "vite";
import { here, host, LIB, MODEL, openPage, skip, without } from "./lib-host.mjs";

const LIMIT = { skip, timeout: 240_000 };
const EXAMPLES = here("../examples/");

/** Waits for the line that the example ends with, and for the element's pictures. */
async function finished(page, elementAlt) {
  const status = page.getByRole("status").filter({ hasNotText: /Loading|^$/ });
  await status.waitFor({ timeout: 120_000 });
  const images = page.getByRole("img", { name: elementAlt });
  await images.first().waitFor({ timeout: 120_000 });
  return { says: await status.textContent(), images: await images.count() };
}

test("plain HTML with an import map", LIMIT, async (t) => {
  const server = await host(t, { files: { "/www/examples/": EXAMPLES, "/www/lib/": LIB } });
  const { page, errors } = await openPage(t);
  await page.goto(`${server.origin}/www/examples/plain/`);
  const { says, images } = await finished(page, "Dress, seed 7, truncation 0.5");
  assert.equal(says, "12 pictures on the cpu, in the worker");
  assert.equal(images, 4);
  assert.deepEqual(errors, []);
});

for (const [query, expected] of [
  ["", "16 pictures in a worker: own-worker"],
  ["?worker", "16 pictures in a worker: asked"],
]) {
  test(`a page of another origin${query}`, LIMIT, async (t) => {
    const packages = await host(t, { headers: { "Access-Control-Allow-Origin": "*" } });
    const file = (name) => () =>
      readFileSync(join(EXAMPLES, "other-origin", name), "utf8").replaceAll(
        "https://packages.example",
        packages.origin,
      );
    const files = { "/site/index.html": file("index.html") };
    for (const name of ["main.js", "worker.js"]) files[`/site/${name}`] = file(name);
    const site = await host(t, { files });
    const { page, errors } = await openPage(t);
    await page.goto(`${site.origin}/site/index.html${query}`);
    const { says, images } = await finished(page, "Coat, seed 3, truncation off");
    assert.equal(says, expected);
    assert.equal(images, 2);
    assert.deepEqual(
      site.log.filter(({ path }) => path.startsWith("/lib/")),
      [],
    );
    assert.deepEqual(errors, []);
  });
}

const VITE = { ...LIMIT, skip: skip || without("sample-webgpu") };

test("a Vite project that installs the packed tarball", VITE, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "biggan-vite-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const project = join(folder, "examples/vite");
  cpSync(join(EXAMPLES, "vite"), project, { recursive: true });
  mkdirSync(join(project, "public"));
  copyFileSync(MODEL, join(project, "public/fashion32.safetensors"));
  execFileSync("npm", ["pack", "--silent", "--pack-destination", folder, LIB]);
  // the Vite is that of these tests: nothing comes from the network
  const manifest = JSON.parse(readFileSync(join(project, "package.json"), "utf8"));
  delete manifest.devDependencies;
  writeFileSync(join(project, "package.json"), JSON.stringify(manifest));
  execFileSync("npm", ["install", "--offline", "--no-audit", "--no-fund"], { cwd: project });
  // the package's types hold in a strict program
  const tsc = [
    "--noEmit",
    "--strict",
    "--target",
    "es2023",
    "--module",
    "esnext",
    "--moduleResolution",
    "bundler",
  ];
  execFileSync(here("../node_modules/.bin/tsc"), [...tsc, "main.ts"], {
    cwd: project,
    stdio: "inherit",
  });
  await build({ root: project, base: "./", logLevel: "error" });

  const server = await host(t, { files: { "/site/": join(project, "dist") } });
  const { page, errors } = await openPage(t);
  await page.goto(`${server.origin}/site/`);
  const { says, images } = await finished(page, "Sandal, seed 5, truncation off");
  assert.equal(says, "2 pictures on the cpu, in the worker");
  assert.equal(images, 2);
  const wasm = server.log.map(({ path }) => path).filter((path) => path.endsWith(".wasm"));
  assert.equal(new Set(wasm).size, 1, "only the build that runs is fetched");
  assert.deepEqual(errors, []);
});
