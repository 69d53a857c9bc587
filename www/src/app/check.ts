/** A page for bug reports: does this browser compute what the native program computes? */

import { probeAdapter } from "../lib/index.js";
import { wantedBackend } from "./address.js";
import { element } from "./element.js";

const DEFAULT_SEED = "1";

const query = new URLSearchParams(location.search);
const wanted = wantedBackend(location.search, "train-webgpu");
const backend = wanted === "auto" ? "cpu" : wanted;
const steps = Number(query.get("steps") ?? 0);
const seed = BigInt(query.get("seed") ?? DEFAULT_SEED);

const status = element("status", HTMLParagraphElement);
const report: Record<string, unknown> = { backend, adapter: await probeAdapter() };

try {
  // the build itself, on this thread: nothing comes between the numbers and their file
  const program =
    backend === "webgpu"
      ? await import("../../pkg/train-webgpu/biggan_web.js")
      : await import("../../pkg/train-cpu/biggan_web.js");
  await program.default();
  const engine = await program.Engine.open(backend);
  status.textContent = "Self-test…";
  report["selfTest"] = JSON.parse(await engine.selfTest());
  if (steps > 0) {
    status.textContent = `${steps} training steps…`;
    const start = performance.now();
    const numbers = await engine.trainCheck(seed, steps);
    report["trainingMs"] = Math.round(performance.now() - start);
    const link = element("numbers", HTMLAnchorElement);
    link.href = URL.createObjectURL(new Blob([numbers as Uint8Array<ArrayBuffer>]));
    link.hidden = false;
  }
  status.textContent = "Done.";
} catch (error) {
  report["error"] = error instanceof Error ? error.message : String(error);
  status.textContent = "Failed.";
}
element("report", HTMLPreElement).textContent = JSON.stringify(report, null, 2);
