/** The packed package in bundlers, set up as docs/package.md says: workers start and wasm is found. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { installBundlers, project, runBundler } from "./bundlers.mjs";
import { here, host, openPage, skip as noPackage, without } from "./lib-host.mjs";

/** A bundler stops at a build that is not there. */
const BUILDS = ["sample-cpu", "sample-cpu-relaxed", "sample-webgpu", "train-cpu", "train-webgpu", "pictures"];
const skip = noPackage || BUILDS.map(without).find(Boolean) || installBundlers();
const LIMIT = { skip, timeout: 600_000 };

/** Samples and trains in the package's workers, then on the main thread, where a bundler's own copy of the wasm counts. */
const PROGRAM = `
import { createGenerator } from "biggan";
import { createTrainer, PRESETS, readImages, readShipped } from "biggan/train";
import "biggan/element";

export async function find() {
  const found = [];
  const note = ({ place, placeReason }) => found.push(place + ", " + placeReason);
  for (const worker of ["auto", "main"]) {
    const generator = await createGenerator({ model: "/models/fashion32.safetensors", backend: "cpu", worker });
    const { samples } = await generator.sample({ class: "Bag" });
    if (samples.length === 1) note(generator.info.running);
    generator.dispose();
    const { data } = await readShipped({ resolution: 16, classes: [1, 9] });
    const recipe = { ...PRESETS[0].recipe, width: 2, batchSize: 8, zDim: 12 };
    const trainer = await createTrainer({ data, recipe, backend: "cpu", worker });
    if ((await trainer.step(1)).length === 1) note(trainer.state.running);
    trainer.dispose();
  }
  const canvas = new OffscreenCanvas(20, 20);
  canvas.getContext("2d").fillRect(0, 0, 20, 20);
  const file = await canvas.convertToBlob();
  const { data } = await readImages({ files: [{ path: "a/x.png", file }], resolution: 16 });
  found.push(data.labels.length + " picture read");
  globalThis.found = found;
}
const failed = (error) => { globalThis.found = String(error); };
export const start = () => find().catch(failed);
`;
const MAIN = `${PROGRAM}\nstart();`;
const PAGE = (script) => `<!doctype html><meta charset="utf-8"><title>test</title>${script}`;
const MODULE = PAGE('<script type="module" src="./main.js"></script>');

/** Opens a built page, and asserts where it computed. */
async function assertRuns(t, files) {
  const server = await host(t, { files });
  const { page, errors } = await openPage(t);
  await page.goto(`${server.origin}/site/index.html`);
  await page.waitForFunction(() => globalThis.found, null, { timeout: 120_000 });
  assert.deepEqual(await page.evaluate(() => globalThis.found), [
    "worker, own-worker",
    "worker, own-worker",
    "main, asked",
    "main, asked",
    "1 picture read",
  ]);
  assert.deepEqual(errors, []);
}

/** What esbuild and rollup do not carry, copied as the documentation says. */
const COPY = "cp -r node_modules/biggan/{worker.js,train-worker.js,train-picture.js,data,wasm} dist/";
const copy = (folder) => execFileSync("bash", ["-c", COPY], { cwd: folder });

const BUNDLERS = {
  vite: {
    files: { "index.html": MODULE, "vite.config.js": 'export default { base: "./", worker: { format: "es" }, build: { target: "es2023" } };' },
    build: (folder) => execFileSync(here("../node_modules/.bin/vite"), ["build"], { cwd: folder, stdio: "pipe" }),
  },
  "webpack 5": {
    files: { "index.html": MODULE },
    build: (folder) => runBundler(folder, "webpack", "--mode", "production", "--entry", "./main.js", "-o", "dist"),
    html: PAGE('<script src="./main.js"></script>'),
  },
  "Parcel 2": {
    files: { "index.html": MODULE },
    build: (folder) => runBundler(folder, "parcel", "build", "index.html", "--no-cache", "--public-url", "./"),
  },
  esbuild: {
    build(folder) {
      runBundler(folder, "esbuild", "main.js", "--bundle", "--format=esm", "--outdir=dist", "--external:./wasm/*");
      copy(folder);
    },
    html: MODULE,
  },
  rollup: {
    files: {
      "rollup.config.js": `
import { nodeResolve } from "@rollup/plugin-node-resolve";
export default {
  input: "main.js",
  output: { dir: "dist" },
  plugins: [nodeResolve()],
  external: /^\\.\\/wasm\\//, makeAbsoluteExternalsRelative: false,
};`,
    },
    build(folder) {
      runBundler(folder, "rollup", "--config");
      copy(folder);
    },
    html: MODULE,
  },
};
for (const [name, { files = {}, build, html }] of Object.entries(BUNDLERS)) {
  test(`${name}: samples and trains in workers`, LIMIT, async (t) => {
    const folder = project(t, { "main.js": MAIN, ...files });
    build(folder);
    await assertRuns(t, { "/site/": join(folder, "dist/"), ...(html && { "/site/index.html": html }) });
  });
}

const NEXT = {
  "app/layout.jsx": 'export default ({ children }) => <html lang="en"><body>{children}</body></html>;',
  "app/main.js": PROGRAM,
  "app/page.jsx": `"use client";
import { useEffect } from "react";
import { start } from "./main.js";
export default function Page() {
  useEffect(() => { start(); }, []);
  return <biggan-sampler src="/models/fashion32.safetensors" label="Bag"></biggan-sampler>;
}`,
  "next.config.js": `
import { resolve } from "node:path";
export default { output: "export", turbopack: { root: resolve("..") } };`,
};
for (const bundler of ["turbopack", "webpack"]) {
  test(`Next with ${bundler}: samples and trains in workers`, LIMIT, async (t) => {
    const folder = project(t, NEXT);
    runBundler(folder, "next", "build", `--${bundler}`);
    const index = () => readFileSync(join(folder, "out/index.html"));
    await assertRuns(t, { "/_next/": join(folder, "out/_next/"), "/site/index.html": index });
  });
}

test("the element's attributes are typed in React's JSX", LIMIT, (t) => {
  const page = (attributes) => `
import type {} from "biggan/react";
import "biggan/element";
export const page = <biggan-sampler src="./m.safetensors" className="w-full" ${attributes} />;`;
  const folder = project(t, {
    "good.tsx": page('label="Bag" seed={2n ** 63n} truncation={null} count={4} loading="eager" controls'),
    "bad.tsx": page('loading="soon" seed={{}}'),
  });
  const options = ["--noEmit", "--strict", "--target", "es2023", "--module", "esnext", "--moduleResolution", "bundler", "--jsx", "react-jsx"];
  const check = (file) => execFileSync(here("../node_modules/.bin/tsc"), [...options, file], { cwd: folder, encoding: "utf8", stdio: "pipe" });
  check("good.tsx");
  assert.throws(
    () => check("bad.tsx"),
    ({ stdout }) => /'"soon"' is not assignable/.test(stdout) && /'\{\}' is not assignable/.test(stdout),
  );
});
