/** The status lines: what runs, how fast, in how much memory, and what went wrong. */

import { type GeneratorInfo, type LoadProgress, type Running } from "../lib/index.js";
import { whyCpu } from "./being-made.js";
import { element } from "./element.js";
import type { Work } from "./painter.js";
import { sentenceOf } from "./sentence.js";

const status = element("status", HTMLParagraphElement);
const timing = element("timing", HTMLParagraphElement);
const memory = element("memory", HTMLParagraphElement);
const problem = element("problem", HTMLParagraphElement);
const bar = element("loading", HTMLProgressElement);

const BACKENDS = {
  cpu: "the CPU (WebAssembly with SIMD)",
  webgpu: "the GPU (WebGPU)",
};

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;

export function showProgress(progress: LoadProgress): void {
  bar.hidden = progress.phase === "ready";
  switch (progress.phase) {
    case "program":
      status.textContent = "Loading the program…";
      bar.removeAttribute("value");
      break;
    case "download": {
      const { received, total, part, parts, cached, resumedAt } = progress;
      const of = total ? `${Math.round((100 * received) / total)} %` : megabytes(received);
      const which = parts > 1 ? ` (part ${part} of ${parts})` : "";
      const how = cached ? ", kept from before" : resumedAt > 0 ? ", resumed" : "";
      status.textContent = `Loading the model${which}: ${of}${how}`;
      if (total) bar.value = received / total;
      else bar.removeAttribute("value");
      break;
    }
    case "verify":
      status.textContent = `Checking ${progress.file}…`;
      break;
    case "prepare":
      status.textContent = "Preparing the model…";
      bar.removeAttribute("value");
      break;
    case "ready":
      showRunning(progress.info.running);
  }
}

/** The page waits for the visitor. */
export function showWaiting(): void {
  bar.hidden = true;
  status.textContent = "Waiting: a question is at the top of the page.";
}

export function showRunning(running: Running): void {
  const { backend, reason, place, restarts } = running;
  bar.hidden = true;
  status.dataset["backend"] = backend;
  status.dataset["reason"] = reason;
  const where = place === "main" ? ", on the page's own thread" : "";
  const again = restarts > 0 ? ` Started again ${restarts === 1 ? "once" : `${restarts} times`}.` : "";
  const why = whyCpu("sample-webgpu", "draws", running);
  status.textContent = `Runs on ${BACKENDS[backend]}${where}: ${why}.${again}`;
}

export function showWork({ elapsedMs, count }: Work): void {
  const ms = (value: number) => (value < 10 ? value.toFixed(1) : value.toFixed(0));
  timing.textContent = `${count} ${count === 1 ? "picture" : "pictures"} in ${ms(elapsedMs)} ms, ${ms(
    elapsedMs / count,
  )} ms each`;
}

export function showMemory({ modelBytes, memoryBytes }: GeneratorInfo): void {
  const program = memoryBytes > 0 ? `, ${megabytes(memoryBytes)} in the program` : "";
  memory.textContent = `Memory: model ${megabytes(modelBytes)}${program}`;
}

export function showProblem(error: unknown): void {
  problem.textContent = sentenceOf(error);
  problem.hidden = false;
}

export function clearProblem(): void {
  problem.hidden = true;
}

/** The page cannot continue. */
export function showFailure(what: string, error: unknown): void {
  bar.hidden = true;
  status.textContent = what;
  showProblem(error);
}
