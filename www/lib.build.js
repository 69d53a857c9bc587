/** Builds the package into lib/, from which `npm pack ./lib` makes the tarball. The wasm builds are those in pkg/. */

import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { minifySync } from "rolldown/utils";
import { notices } from "./notices.js";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** Builds of the wasm by name. */
const BUILDS = [
  "sample-cpu",
  "sample-cpu-relaxed",
  "sample-webgpu",
  "train-cpu",
  "train-webgpu",
  "pictures",
];
/** Without these there is no package. */
const NEEDED = ["sample-cpu"];
/** Entries by name, and where their sources are. */
const ENTRIES = { index: "index", element: "element", train: "train" };
/** These export nothing. */
const WORKERS = { worker: "sample/worker", "train-worker": "train/train-worker" };
/** What the page or a worker imports when it needs it. */
const LATER = { "read-once": "sample/read-once", "train-picture": "train/train-picture", "train-zip": "train/train-zip" };

/** The wasm and what comes later are files of their own, next to the entries: bundlers and plain servers find them there. */
const filesOfTheirOwn = {
  name: "files-of-their-own",
  resolveId(source) {
    const found = /^(?:\.\.\/)+pkg\/(.*)$/.exec(source);
    if (found) return { id: `./wasm/${found[1]}`, external: true };
    const later = /^\.\/(.*)\.js$/.exec(source)?.[1] in LATER;
    return later ? { id: source, external: true } : null;
  },
};

rmSync(here("lib"), { recursive: true, force: true });

mkdirSync(here("lib"));
// what the entries share must be one module; a worker is one file, so that it starts sooner
await bundle(ENTRIES);
for (const [name, source] of Object.entries({ ...WORKERS, ...LATER })) await bundle({ [name]: source });
// the images that ship
cpSync(here("src/lib/train/data"), here("lib/data"), { recursive: true });

async function bundle(entries) {
  const made = await rolldown({
    input: Object.fromEntries(
      Object.entries(entries).map(([name, source]) => [name, here(`src/lib/${source}.ts`)]),
    ),
    plugins: [filesOfTheirOwn],
  });
  const { output } = await made.generate({
    format: "es",
    entryFileNames: "[name].js",
    // all in one folder, so that addresses relative to a module hold in each
    chunkFileNames: "[name].js",
    minify: true,
    sourcemap: true,
  });
  await made.close();
  for (const { type, fileName, code, source } of output) {
    // the minifier writes `./worker.js`; bundlers look for "./worker.js"
    const text = type === "chunk" ? code.replaceAll(/`(\.\/[\w./-]+)`/g, '"$1"') : source;
    writeFileSync(here(`lib/${fileName}`), text);
  }
}

const types = mkdtempSync(join(tmpdir(), "biggan-types-"));
execFileSync(
  here("node_modules/.bin/tsc"),
  ["--project", here("tsconfig.lib.json"), "--outDir", types],
  { stdio: "inherit" },
);
for (const name of Object.keys(ENTRIES)) declare(`${name}.d.ts`);
for (const name of Object.keys(WORKERS)) writeFileSync(here(`lib/${name}.d.ts`), "export {};\n");
rmSync(types, { recursive: true });

/** Copies types, and those that they speak of. */
function declare(name) {
  const to = here(`lib/${name}`);
  if (existsSync(to)) return;
  mkdirSync(dirname(to), { recursive: true });
  const text = readFileSync(join(types, name), "utf8");
  writeFileSync(to, text);
  for (const [, found] of text.matchAll(/"(\.{1,2}\/[\w./-]+)\.js"/g))
    declare(join(dirname(name), `${found}.d.ts`));
}

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
  "package/cdn.js",
  "package/custom-elements.json",
  "package/react.d.ts",
]) {
  copyFileSync(here(file), here(`lib/${basename(file)}`));
}

try {
  writeFileSync(here("lib/THIRD-PARTY-NOTICES"), notices(here("..")));
} catch (error) {
  console.warn(`THIRD-PARTY-NOTICES is left out: ${error.message}`);
}
