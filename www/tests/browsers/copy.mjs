/** A copy of the built page with a server of its own, and what may happen to a site: it goes away, or has a next version. */

import { cpSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { preview } from "vite";

const DIST = fileURLToPath(new URL("../../dist/", import.meta.url));
const TEXT = [".html", ".js", ".css"];

/** Serves a copy, at an origin of its own, until the test ends. */
export async function openCopy(t) {
  const folder = mkdtempSync(join(tmpdir(), "biggan-page-"));
  cpSync(DIST, folder, { recursive: true });
  const server = await preview({
    // a missing file is missing, as on other servers
    appType: "mpa",
    logLevel: "error",
    build: { outDir: folder },
    preview: { port: 0, host: "127.0.0.1" },
  });
  const goAway = () => {
    server.httpServer.closeAllConnections();
    return server.close();
  };
  t.after(async () => {
    await goAway();
    rmSync(folder, { recursive: true });
  });
  const address = `http://127.0.0.1:${server.httpServer.address().port}/`;
  return { address, goAway, next: () => next(folder) };
}

/** Puts another version in the place of the built one: another title, and no file of the old one's hashed names. */
function next(folder) {
  const assets = join(folder, "assets");
  // a hash has eight characters
  const renamed = readdirSync(assets).map((name) => [name, name.replace(/-[\w-]{4}([\w-]{4}\.\w+)$/, "-next$1")]);
  const files = readdirSync(folder, { recursive: true }).filter((file) => TEXT.includes(extname(file)));
  for (const file of files) {
    let text = readFileSync(join(folder, file), "utf8");
    for (const [from, to] of renamed) text = text.replaceAll(from, to);
    writeFileSync(join(folder, file), text.replace(/<title>.*<\/title>/, "<title>The next version</title>"));
  }
  for (const [from, to] of renamed) renameSync(join(assets, from), join(assets, to));
  const worker = join(folder, "service-worker.js");
  writeFileSync(worker, readFileSync(worker, "utf8").replace(/^const VERSION = "\w+"/, 'const VERSION = "next"'));
}
