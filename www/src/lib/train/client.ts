/** A trainer: the interface of training. */

import { abortable } from "../base/abort.js";
import { bufferLimits } from "../base/adapter.js";
import type { Backend, Running } from "../sample/api.js";
import { type Choice, openBackend, openCpu, openGpu, type Opened } from "../base/backend.js";
import { type Engine, FaultError } from "../base/engine.js";
import { BigGanError, messageOf } from "../base/errors.js";
import { Queue } from "../base/queue.js";
import type {
  Look,
  StepReport,
  Trainer,
  TrainerOptions,
  TrainerState,
  Which,
} from "./api.js";
import { badCheckpoint, badRecipe, diverged, faultError, refuseBackend } from "./errors.js";
import { trainingMisfit } from "./fit.js";
import { lookOf } from "./look.js";
import { checkTrainerOptions } from "./options.js";
import { TrainStarter } from "./place.js";
import type { TrainCounters, TrainingNeed } from "./protocol.js";
import { encodeRecipe } from "./recipe.js";

/** Faults without a step between them, after which the trainer gives up. */
const MOST_FAULTS = 3;

/** Opens a backend and starts a training there, or goes on with one. */
export async function createTrainer(options: TrainerOptions): Promise<Trainer> {
  checkTrainerOptions(options);
  const { signal, onProgress = () => {} } = options;
  signal?.throwIfAborted();
  const starter = new TrainStarter(options.worker ?? "auto");
  const opening = openBackend(options.backend ?? "auto", (backend) => {
    onProgress({ phase: "program", backend });
    return starter.start(backend);
  });
  let trainer: EngineTrainer | undefined;
  try {
    const opened = await abortable(opening.catch(refuseBackend(options)), signal);
    trainer = new EngineTrainer(opened, starter, options);
    onProgress({ phase: "prepare" });
    await abortable(trainer.start(), signal);
    onProgress({ phase: "ready", state: trainer.state });
    return trainer;
  } catch (error) {
    trainer?.dispose();
    // one that comes up later ends too
    opening.then(({ engine }) => engine.dispose()).catch(() => {});
    throw error;
  }
}

class EngineTrainer implements Trainer {
  readonly #queue = new Queue();
  /** Aborted by `dispose`. */
  readonly #end = new AbortController();
  readonly #recipe: string;
  #phase: TrainerState["phase"] = "ready";
  #need: TrainingNeed | undefined;
  #counters: TrainCounters = { gStep: 0, dStep: 0, imagesSeen: 0, memoryBytes: 0 };
  /** Where training goes on after a fault; none is its beginning. */
  #kept: Blob | null;
  #restarts = 0;
  /** Faults since the last step. */
  #faults = 0;
  /** Calls of `step` that are running, and whether they are to end. */
  #stepping = 0;
  #pausing = false;

  constructor(
    private opened: Opened,
    private readonly starter: TrainStarter,
    private readonly options: TrainerOptions,
  ) {
    this.#recipe = encodeRecipe(options.recipe);
    this.#kept = options.checkpoint ?? null;
  }

  get state(): TrainerState {
    return {
      phase: this.#phase,
      ...this.#counters,
      recipe: this.options.recipe,
      parametersG: this.#need?.parametersG ?? 0,
      parametersD: this.#need?.parametersD ?? 0,
      running: this.#running,
    };
  }

  get #running(): Running {
    const { place, placeReason } = this.starter;
    return { ...this.opened.choice, place, placeReason, restarts: this.#restarts };
  }

  get #engine(): Engine {
    return this.opened.engine;
  }

  /** Refuses what is too large, then builds the networks. */
  async start(): Promise<void> {
    const { data, backend } = this.options;
    const size = { recipe: this.#recipe, resolution: data.resolution, classes: data.classNames.length };
    try {
      this.#need = await this.#engine.call("trainNeed", size);
    } catch (cause) {
      throw cause instanceof FaultError ? faultError(cause) : badRecipe(cause);
    }
    const chosen = this.opened.choice.backend;
    const limits = chosen === "webgpu" ? await bufferLimits() : null;
    const misfit = trainingMisfit(this.#need, data, chosen, limits);
    if (misfit && chosen === "webgpu" && (backend ?? "auto") === "auto") {
      const onCpu = trainingMisfit(this.#need, data, "cpu", null);
      if (onCpu) throw onCpu;
      await this.#open("cpu", { reason: "low-limits", sentence: misfit.message });
    } else if (misfit) throw misfit;
    try {
      this.#counters = await this.#begin();
    } catch (error) {
      if (error instanceof FaultError) throw faultError(error);
      throw this.#kept ? badCheckpoint(error) : error;
    }
  }

  #begin(): Promise<TrainCounters> {
    const { data } = this.options;
    return this.#engine.call("trainStart", { data, recipe: this.#recipe, checkpoint: this.#kept });
  }

  async step(n: number, which: Which = "both"): Promise<StepReport[]> {
    if (!Number.isSafeInteger(n) || n < 1) {
      throw new BigGanError("bad-request", `n is ${n}; give 1 or more steps`, { field: "n" });
    }
    if (!["both", "d", "g"].includes(which)) {
      throw new BigGanError("bad-request", `which is "${which}"; give "both", "d" or "g"`, {
        field: "which",
      });
    }
    const reports: StepReport[] = [];
    this.#end.signal.throwIfAborted();
    if (this.#stepping++ === 0) this.#pausing = false;
    this.#phase = "training";
    try {
      while (reports.length < n && !this.#pausing) {
        // other calls get their turn in between
        const report = await this.#run(() => this.#stepOnce(which));
        if (!report) continue;
        reports.push(report);
        this.options.onProgress?.({ phase: "step", report });
      }
      return reports;
    } finally {
      this.#stepping--;
      if (this.#end.signal.aborted) this.#phase = "disposed";
      else if (this.#stepping === 0) this.#phase = "ready";
    }
  }

  /** Null where a fault came between: the training was restored. */
  async #stepOnce(which: Which): Promise<StepReport | null> {
    try {
      const answer = await this.#engine.call("trainStep", { which });
      const { memoryBytes, ...report } = answer;
      const { gStep, dStep, imagesSeen } = answer;
      this.#counters = { gStep, dStep, imagesSeen, memoryBytes };
      this.#faults = 0;
      return report;
    } catch (error) {
      if (error instanceof FaultError) {
        await this.#restore(error);
        return null;
      }
      const { gStep } = this.#counters;
      this.#counters = await this.#begin();
      throw diverged(error, gStep, this.#counters.gStep);
    }
  }

  async pause(): Promise<void> {
    if (this.#stepping === 0) return;
    this.#pausing = true;
    this.#phase = "pausing";
    // behind the step at work
    await this.#run(async () => {});
  }

  async look({ perClass = 8, scored = 8 } = {}): Promise<Look> {
    const seen = await this.#call((engine) => engine.call("trainLook", { perClass, scored }));
    return lookOf(seen, this.#counters.gStep);
  }

  async save(): Promise<Blob> {
    const checkpoint = await this.#call((engine) => engine.call("trainSave", null));
    this.#kept = checkpoint;
    return checkpoint;
  }

  async load(checkpoint: Blob): Promise<void> {
    await this.#call(async (engine) => {
      try {
        this.#counters = await engine.call("trainLoad", { checkpoint });
        this.#kept = checkpoint;
      } catch (error) {
        throw error instanceof FaultError ? error : badCheckpoint(error);
      }
    });
  }

  exportModel(): Promise<Blob> {
    return this.#call((engine) => engine.call("trainExport", null));
  }

  packedImages(): Promise<Blob> {
    return this.#call((engine) => engine.call("trainPack", null));
  }

  dispose(): void {
    this.#phase = "disposed";
    this.#end.abort(new BigGanError("disposed", "the trainer was disposed of; create another"));
    this.#engine.dispose();
  }

  #run<T>(task: () => Promise<T>): Promise<T> {
    return this.#queue.run(task, this.#end.signal);
  }

  /** A call between steps; after a fault once more, of the restored training. */
  #call<T>(ask: (engine: Engine) => Promise<T>): Promise<T> {
    return this.#run(async () => {
      for (;;) {
        try {
          return await ask(this.#engine);
        } catch (error) {
          if (!(error instanceof FaultError)) throw error;
          await this.#restore(error);
        }
      }
    });
  }

  /** Goes on from the last checkpoint in a new worker: on the same backend, then on the CPU. */
  async #restore(fault: FaultError): Promise<void> {
    this.#end.signal.throwIfAborted();
    const before = this.#phase;
    const lostAt = this.#counters.gStep;
    this.#phase = "lost";
    for (let last: unknown = fault; ; ) {
      this.#faults++;
      if (this.#faults > MOST_FAULTS || this.starter.place === "main") {
        throw faultError(last);
      }
      const gpu = this.opened.choice.backend === "webgpu" && this.#faults === 1;
      try {
        await this.#open(gpu ? "webgpu" : "cpu", {
          reason: "lost",
          sentence: `the engine before it failed (${messageOf(last)})`,
        });
        this.#counters = await this.#begin();
        break;
      } catch (error) {
        last = error;
      }
    }
    this.#restarts++;
    this.#phase = before;
    const lostSteps = lostAt - this.#counters.gStep;
    this.options.onProgress?.({ phase: "restored", state: this.state, lostSteps });
  }

  /** Puts another engine in place of the one there is. */
  async #open(backend: Backend, why: Omit<Choice, "backend">): Promise<void> {
    this.#engine.dispose();
    const start = (wanted: Backend) => this.starter.start(wanted);
    const same = backend === this.opened.choice.backend;
    const opened =
      backend === "webgpu"
        ? { engine: await openGpu(start), choice: this.opened.choice }
        : await openCpu(start, same ? this.opened.choice : why);
    if (this.#end.signal.aborted) opened.engine.dispose();
    this.#end.signal.throwIfAborted();
    this.opened = opened;
  }
}
