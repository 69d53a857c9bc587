/** The choice between the GPU and the CPU. */

import { withLimit } from "./abort.js";
import { probeAbsence, probeAdapter } from "./adapter.js";
import type { Backend, Reason } from "./api.js";
import type { Engine } from "./engine.js";
import { BigGanError, messageOf } from "./errors.js";
import type { CommonCalls, SelfTest } from "./protocol.js";

export interface Choice {
  backend: Backend;
  reason: Reason;
  /** The second half of "runs on the CPU: ..". */
  sentence: string;
}

export interface Opened<C> {
  engine: Engine<C>;
  choice: Choice;
}

/** Starts an engine on a backend, in the right place for the page. */
export type Start<C> = (backend: Backend) => Promise<Engine<C>>;

/** Time limit: a hanging driver must not block the page, and a slow driver needs seconds. */
const SELF_TEST_LIMIT_MS = 60_000;

/** Opens the requested backend, or the best that works. */
export async function openBackend<C extends CommonCalls>(
  wanted: Backend | "auto",
  start: Start<C>,
): Promise<Opened<C>> {
  if (wanted === "auto") return openBest(start);
  return {
    engine: wanted === "cpu" ? await start("cpu") : await openAsked(start),
    choice: { backend: wanted, reason: "forced", sentence: "it was asked for" },
  };
}

/** Opens the CPU backend, for a reason. */
export async function openCpu<C>(
  start: Start<C>,
  why: Omit<Choice, "backend">,
): Promise<Opened<C>> {
  return { engine: await start("cpu"), choice: { backend: "cpu", ...why } };
}

/** Opens the GPU that was asked for, whatever it is, if there is one. */
async function openAsked<C extends CommonCalls>(start: Start<C>): Promise<Engine<C>> {
  const absence = await probeAbsence();
  if (absence) throw new Error(absence.sentence);
  return openGpu(start);
}

/** Opens the GPU and checks its numbers. */
export async function openGpu<C extends CommonCalls>(start: Start<C>): Promise<Engine<C>> {
  const engine = await start("webgpu");
  try {
    const test = await withLimit(engine.calls.selfTest(), SELF_TEST_LIMIT_MS);
    if (!test.agrees) throw new WrongNumbersError(test);
    return engine;
  } catch (error) {
    engine.dispose();
    throw error;
  }
}

async function openBest<C extends CommonCalls>(start: Start<C>): Promise<Opened<C>> {
  const refusal = await probeAdapter();
  if (refusal) return openCpu(start, refusal);
  try {
    return {
      engine: await openGpu(start),
      choice: {
        backend: "webgpu",
        reason: "hardware",
        sentence: "the adapter is hardware and its numbers agree with the CPU's",
      },
    };
  } catch (error) {
    const wrong = error instanceof WrongNumbersError;
    return openCpu(start, {
      reason: wrong ? "wrong-numbers" : "start-failed",
      sentence: wrong ? error.message : `WebGPU failed to start (${messageOf(error)})`,
    });
  }
}

class WrongNumbersError extends BigGanError {
  constructor(test: SelfTest) {
    const difference = test.max_difference ?? Infinity;
    super("unsupported", `the GPU's numbers differ from the CPU's by ${difference}`, {
      numbers: { difference },
    });
  }
}
