/** The training page with a trainer that trains nothing, in a real browser. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** The fake in the trainer's place, and no page but the training's. */
const fakes = () => ({
  name: "fake-trainer",
  enforce: "pre",
  config(config) {
    config.build.rollupOptions.input = { train: here("../train.html") };
  },
  resolveId(source, importer) {
    const wanted = importer?.endsWith("training/package.ts") && source.endsWith("lib/train.js");
    return wanted ? here("fake-trainer.mjs") : null;
  },
});

/** Builds the page with the fake; the folder ends with the process. */
export async function buildWithFake() {
  const outDir = mkdtempSync(join(tmpdir(), "biggan-fake-"));
  process.on("exit", () => rmSync(outDir, { recursive: true, force: true }));
  await build({
    configFile: here("../vite.config.js"),
    logLevel: "error",
    plugins: [fakes()],
    build: { outDir, emptyOutDir: true },
  });
  return outDir;
}
