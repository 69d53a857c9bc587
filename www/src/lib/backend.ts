/** The choice between the GPU and the CPU. */

import { probeAdapter, type Refusal } from "./adapter.js";
import { EngineClient } from "./engine.js";
import type { Backend, SelfTest } from "./protocol.js";

export interface Choice {
  backend: Backend;
  /** For programs. */
  reason: Refusal["reason"] | "hardware" | "forced" | "start-failed" | "wrong-numbers" | "lost";
  /** For people: the second half of "runs on the CPU: ..". */
  sentence: string;
}

export interface Opened {
  engine: EngineClient;
  choice: Choice;
}

/** A driver that hangs must not keep the page from working; a slow one needs seconds. */
const SELF_TEST_LIMIT_MS = 60_000;

/** Opens the backend asked for, or the best one that works. */
export async function openBackend(wanted: Backend | "auto"): Promise<Opened> {
  if (wanted === "auto") return openBest();
  const engine = await EngineClient.open(wanted);
  if (wanted === "webgpu") await requireAgreement(engine);
  return {
    engine,
    choice: { backend: wanted, reason: "forced", sentence: "it was asked for in the address" },
  };
}

/** Opens the CPU backend, for a reason. */
export async function openCpu(refusal: Omit<Choice, "backend">): Promise<Opened> {
  return { engine: await EngineClient.open("cpu"), choice: { backend: "cpu", ...refusal } };
}

async function openBest(): Promise<Opened> {
  const refusal = await probeAdapter();
  if (refusal) return openCpu(refusal);
  let engine: EngineClient | undefined;
  try {
    engine = await EngineClient.open("webgpu");
    const test = await withLimit(engine.call("selfTest", null), SELF_TEST_LIMIT_MS);
    if (test.agrees) {
      return {
        engine,
        choice: {
          backend: "webgpu",
          reason: "hardware",
          sentence: "the adapter is hardware and its numbers agree with the CPU's",
        },
      };
    }
    engine.dispose();
    return openCpu({ reason: "wrong-numbers", sentence: disagreement(test) });
  } catch (error) {
    engine?.dispose();
    const message = error instanceof Error ? error.message : String(error);
    return openCpu({ reason: "start-failed", sentence: `WebGPU failed to start (${message})` });
  }
}

async function requireAgreement(engine: EngineClient): Promise<void> {
  const test = await engine.call("selfTest", null);
  if (test.agrees) return;
  engine.dispose();
  throw new Error(`${disagreement(test)}; leave out ?backend=webgpu to use the CPU`);
}

const disagreement = (test: SelfTest) =>
  `the GPU's numbers differ from the CPU's by ${test.max_difference ?? "infinity"}`;

function withLimit<T>(task: Promise<T>, limitMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer in ${limitMs / 1000} s`)), limitMs);
    task.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
