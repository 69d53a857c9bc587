/** Bundlers that are no part of this project: installed once, outside of the sources. */

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { here, LIB } from "./lib-host.mjs";

const PACKAGES = {
  "@rollup/plugin-node-resolve": "16.0.3",
  "@types/react": "19.3.3",
  esbuild: "0.28.2",
  next: "16.4.6",
  parcel: "2.16.4",
  react: "19.3.1",
  "react-dom": "19.3.1",
  rollup: "4.68.8",
  webpack: "5.113.0",
  "webpack-cli": "7.3.1",
};
const INSTALL_LIMIT_MS = 600_000;

const TOOLS = join(process.env.CARGO_TARGET_DIR ?? here("../../target"), "tools/bundlers");
const BIN = join(TOOLS, "node_modules/.bin");

/** Installs them; says why that is not possible, or false. */
export function installBundlers() {
  const manifest = JSON.stringify({ private: true, dependencies: PACKAGES });
  const mark = join(TOOLS, "installed.json");
  if (existsSync(mark) && readFileSync(mark, "utf8") === manifest) return false;
  rmSync(TOOLS, { recursive: true, force: true });
  mkdirSync(TOOLS, { recursive: true });
  writeFileSync(join(TOOLS, "package.json"), manifest);
  const npm = (...given) => execFileSync("npm", given, { cwd: TOOLS, encoding: "utf8", stdio: "pipe", timeout: INSTALL_LIMIT_MS });
  try {
    // without a network an installation tries for many minutes
    npm("view", "esbuild", "version", "--fetch-retries=0");
    npm("install", "--no-progress", "--no-audit", "--no-fund");
  } catch (error) {
    const [why] = String(error.stderr || error.message).trim().split("\n");
    return `npm cannot install the bundlers into ${TOOLS}: ${why}`;
  }
  writeFileSync(mark, manifest);
  return false;
}

/** A project with files that has installed the packed package; its folder ends with the test. */
export function project(t, files) {
  const folder = mkdtempSync(join(TOOLS, "project-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  execFileSync("npm", ["pack", "--silent", "--pack-destination", folder, LIB]);
  const manifest = { private: true, type: "module", dependencies: { biggan: "file:biggan-0.1.0.tgz" } };
  for (const [name, text] of Object.entries({ ...files, "package.json": JSON.stringify(manifest) })) {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  execFileSync("npm", ["install", "--offline", "--no-audit", "--no-fund"], { cwd: folder });
  return folder;
}

/** Runs a program of a bundler in a folder; fails with what it says. */
export function runBundler(folder, name, ...given) {
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: "1" };
  try {
    execFileSync(join(BIN, name), given, { cwd: folder, env, stdio: "pipe" });
  } catch (error) {
    throw new Error(`${name} ${given.join(" ")}: ${error.stdout}${error.stderr}`);
  }
}
