/** The memory that a model of the published width takes in a browser, over all its processes. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { libraryPage, skip } from "../lib-host.mjs";
import { REFERENCE } from "../native.mjs";

/** Most memory above the empty page's, in shares of the weights as 32-bit floats. */
const MOST = 2.2;
/** Milliseconds between two readings. */
const EVERY = 20;

/** Bytes of all processes of a browser; what several share counts once. */
function bytesOf(ids) {
  const of = (id) => {
    try {
      return 1024 * Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${id}/smaps_rollup`, "utf8"))?.[1] ?? 0);
    } catch {
      return 0; // it has ended
    }
  };
  return ids.reduce((sum, id) => sum + of(id), 0);
}

test("a model of 141 MB takes no more than 2.2 times its weights", { skip, timeout: 300_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "biggan-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "large.safetensors");
  execFileSync(REFERENCE, ["large", path], { stdio: "inherit" });
  const model = readFileSync(path);
  const { browser, page, errors } = await libraryPage(t, { files: { "/large.safetensors": () => model } });
  const session = await browser.newBrowserCDPSession();
  const processes = async () => {
    const { processInfo } = await session.send("SystemInfo.getProcessInfo");
    return processInfo.map(({ id }) => id);
  };
  const before = bytesOf(await processes());

  let most = 0;
  let looking = true;
  const watch = (async () => {
    while (looking) {
      most = Math.max(most, bytesOf(await processes()));
      await new Promise((resolve) => setTimeout(resolve, EVERY));
    }
  })();
  const found = await page.evaluate(async () => {
    const generator = await biggan.make({ model: "/large.safetensors", cache: false });
    globalThis.generator = generator;
    const { samples } = await generator.sample({ class: 1, seed: 1 });
    const { info } = generator;
    return { id: info.modelId, program: info.memoryBytes, parameters: info.model.parameters, side: samples[0].image.width };
  });
  const loaded = bytesOf(await processes());
  looking = false;
  await watch;

  const weights = 4 * found.parameters;
  const shares = [most, loaded].map((bytes) => (bytes - before) / weights);
  const megabytes = (bytes) => `${Math.round(bytes / 1e6)} MB`;
  t.diagnostic(
    `file ${megabytes(model.length)}, weights ${megabytes(weights)}; before ${megabytes(before)}, most ${megabytes(most)}, ` +
      `then ${megabytes(loaded)}, program ${megabytes(found.program)}: ${shares.map((share) => share.toFixed(2)).join(" and ")} times the weights`,
  );
  assert.deepEqual(errors, []);
  assert.equal(found.side, 128);
  assert.match(found.id, /^[0-9a-f]{64}$/);
  assert.ok(shares[0] <= MOST, `${shares[0]} times the weights at the peak`);
});
