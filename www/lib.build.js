/** Builds the package into lib/, from which `npm pack ./lib` makes the tarball. The wasm builds are those in pkg/. */

import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { minifySync } from "rolldown/utils";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** Builds of the wasm by name. */
const BUILDS = ["sample-cpu", "sample-webgpu", "train-cpu", "train-webgpu"];
/** Without these there is no package. */
const NEEDED = ["sample-cpu"];
const ENTRIES = ["index", "element", "worker", "train", "train-worker"];
/** The types of the entries, and what they speak of. */
const DECLARATIONS = [
  ...ENTRIES,
  "api",
  "client",
  "errors",
  "train-api",
  "train-client",
  "train-data",
  "train-findings",
  "train-presets",
  "train-shipped",
  "train-store",
];
/** The images that ship. */
const DATA = "data/fashion-mnist-2000.pack.gz";

/** The wasm stays outside, beside the package's own files: bundlers and plain servers find it there. */
const wasmStaysOutside = {
  name: "wasm-stays-outside",
  resolveId(source) {
    const found = /^\.\.\/\.\.\/pkg\/(.*)$/.exec(source);
    return found ? { id: `./wasm/${found[1]}`, external: true } : null;
  },
};

rmSync(here("lib"), { recursive: true, force: true });

mkdirSync(here("lib"));
// what the entries share must be one module; a worker is one file, so that it starts sooner
await bundle(["index", "element", "train"]);
await bundle(["worker"]);
await bundle(["train-worker"]);
mkdirSync(here("lib/data"));
copyFileSync(here(`src/lib/${DATA}`), here(`lib/${DATA}`));

async function bundle(entries) {
  const made = await rolldown({
    input: Object.fromEntries(entries.map((name) => [name, here(`src/lib/${name}.ts`)])),
    plugins: [wasmStaysOutside],
  });
  const { output } = await made.generate({
    format: "es",
    entryFileNames: "[name].js",
    // all in one folder, so that addresses relative to a module hold in each
    chunkFileNames: "[name].js",
    minify: true,
  });
  await made.close();
  for (const { fileName, code } of output) {
    // the minifier writes `./worker.js`; bundlers look for "./worker.js"
    writeFileSync(here(`lib/${fileName}`), code.replaceAll(/`(\.\/[\w./-]+)`/g, '"$1"'));
  }
}

const types = mkdtempSync(join(tmpdir(), "biggan-types-"));
execFileSync(
  here("node_modules/.bin/tsc"),
  ["--project", here("tsconfig.lib.json"), "--outDir", types],
  { stdio: "inherit" },
);
for (const name of DECLARATIONS)
  copyFileSync(join(types, `${name}.d.ts`), here(`lib/${name}.d.ts`));
rmSync(types, { recursive: true });

for (const name of BUILDS) {
  const from = here(`pkg/${name}`);
  if (!existsSync(from)) {
    if (NEEDED.includes(name)) throw new Error(`${from} is missing; run cargo xtask web first`);
    console.warn(
      `${name} is left out: ${from} is missing; run cargo xtask web for a whole package`,
    );
    continue;
  }
  const to = here(`lib/wasm/${name}`);
  mkdirSync(to, { recursive: true });
  const glue = readFileSync(`${from}/biggan_web.js`, "utf8");
  const { code, errors } = minifySync("biggan_web.js", glue, { module: true });
  if (errors.length > 0) throw new Error(`${from}/biggan_web.js: ${errors[0].message}`);
  writeFileSync(`${to}/biggan_web.js`, code);
  copyFileSync(`${from}/biggan_web.d.ts`, `${to}/biggan_web.d.ts`);
  copyFileSync(`${from}/biggan_web_bg.wasm`, `${to}/biggan_web_bg.wasm`);
}

for (const file of [
  "../LICENSE-APACHE",
  "../LICENSE-MIT",
  "package/package.json",
  "package/README.md",
]) {
  copyFileSync(here(file), here(`lib/${basename(file)}`));
}
