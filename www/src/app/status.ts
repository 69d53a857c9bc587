/** The lines that say what runs, how fast, and what went wrong. */

import type { Choice, ModelInfo, Samples } from "../lib/index.js";
import { element } from "./element.js";

const status = element("status", HTMLParagraphElement);
const timing = element("timing", HTMLParagraphElement);
const problem = element("problem", HTMLParagraphElement);

const BACKENDS = {
  cpu: "the CPU (WebAssembly with SIMD)",
  webgpu: "the GPU (WebGPU)",
};

const TRUNCATIONS = {
  resampling: "every coordinate of z is at most this",
  scaled_truncated_normal: "z is this times a normal cut at 2",
  scaled_normal: "z is a normal of this standard deviation",
};

export function showProgress(received: number, total: number | null): void {
  const part = total
    ? `${Math.round((100 * received) / total)} %`
    : `${(received / 1e6).toFixed(1)} MB`;
  status.textContent = `Loading the model: ${part}`;
}

export function showChoice({ backend, reason, sentence }: Choice): void {
  status.dataset["backend"] = backend;
  status.dataset["reason"] = reason;
  status.textContent = `Runs on ${BACKENDS[backend]}: ${sentence}.`;
}

export function showTiming({ elapsedMs, count }: Samples): void {
  const ms = (value: number) => (value < 10 ? value.toFixed(1) : value.toFixed(0));
  timing.textContent = `${count} ${count === 1 ? "picture" : "pictures"} in ${ms(elapsedMs)} ms, ${ms(
    elapsedMs / count,
  )} ms each`;
}

export function showModel(info: ModelInfo): void {
  const side = `${info.resolution}×${info.resolution}`;
  const origin =
    info.imagesSeen > 0
      ? `trained on ${info.dataset}, ${info.imagesSeen.toLocaleString("en")} images seen`
      : "never trained: its weights are random";
  element("model", HTMLParagraphElement).textContent =
    `A generative adversarial network draws these ${side} pictures here, on your machine. ` +
    `The model was ${origin}. Truncation: ` +
    `${info.truncationRange ? TRUNCATIONS[info.truncationKind] : "none with this model's latents"}.`;
}

export function showProblem(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  problem.textContent = message.charAt(0).toUpperCase() + message.slice(1) + ".";
  problem.hidden = false;
}

export function clearProblem(): void {
  problem.hidden = true;
}

/** The page cannot go on. */
export function showFailure(what: string, error: unknown): void {
  status.textContent = what;
  showProblem(error);
}
