/** A trainer: the interface of training. */

import { abortable } from "../base/abort.js";
import { bufferLimits } from "../base/adapter.js";
import { BigGanError } from "../base/errors.js";
import { faultOf, LastingEngine } from "../base/lasting-engine.js";
import { guarded, tell } from "../base/listener.js";
import { refuse } from "../base/options.js";
import { Starter } from "../base/starter.js";
import type {
  Look,
  StepReport,
  Trainer,
  TrainerOptions,
  TrainerState,
  TrainRecipe,
  Which,
} from "./api.js";
import { badCheckpoint, diverged, refused, stepFailed } from "./errors.js";
import { trainingMisfit } from "./fit.js";
import { lookOf } from "./look.js";
import { checkTrainerOptions } from "./options.js";
import { ownTrainWorker } from "./own-worker.js";
import type { TrainCalls, TrainCounters, TrainingNeed } from "./protocol.js";
import { encodeRecipe } from "./recipe.js";
import { training } from "./training.js";

/** Opens a backend and starts or continues a run there. */
export async function createTrainer(options: TrainerOptions): Promise<Trainer> {
  checkTrainerOptions(options);
  const caller = options.signal;
  caller?.throwIfAborted();
  const failing = new AbortController();
  const signal = caller ? AbortSignal.any([caller, failing.signal]) : failing.signal;
  const onProgress = guarded(options.onProgress, failing);
  const starter = new Starter(training, ownTrainWorker, options.worker);
  const engine = await LastingEngine.open({ ...options, signal }, starter, (backend) =>
    onProgress({ phase: "program", backend }),
  );
  const trainer = new EngineTrainer(engine, options);
  try {
    onProgress({ phase: "prepare" });
    await abortable(trainer.start(), signal);
    onProgress({ phase: "ready", state: trainer.state });
    signal.throwIfAborted();
    return trainer;
  } catch (error) {
    trainer.dispose();
    throw error;
  }
}

class EngineTrainer implements Trainer {
  /** As it was given, and in the core's form. */
  #asked: TrainRecipe;
  #recipe: string;
  #phase: TrainerState["phase"] = "ready";
  #need: TrainingNeed | undefined;
  #counters: TrainCounters = { gStep: 0, dStep: 0, imagesSeen: 0, memoryBytes: 0 };
  /** The checkpoint to continue from after a fault; `null` is the start. */
  #kept: Blob | null;
  /** Running calls of `step`, and whether they should stop. */
  #stepping = 0;
  #pausing = false;

  constructor(
    private readonly engine: LastingEngine<TrainCalls>,
    private readonly options: TrainerOptions,
  ) {
    this.#asked = options.recipe;
    this.#recipe = encodeRecipe(options.recipe);
    this.#kept = options.checkpoint ?? null;
  }

  get state(): TrainerState {
    return {
      phase: this.#phase,
      ...this.#counters,
      recipe: this.#asked,
      parametersG: this.#need?.parametersG ?? 0,
      parametersD: this.#need?.parametersD ?? 0,
      running: this.engine.running,
    };
  }

  /** Refuses a run that is too large, then builds the networks. */
  async start(): Promise<void> {
    const { data, backend } = this.options;
    this.#need = await this.#needOf(this.#recipe);
    const chosen = this.engine.choice.backend;
    const limits = chosen === "webgpu" ? await bufferLimits() : null;
    const misfit = trainingMisfit(this.#need, data, chosen, limits);
    if (misfit && chosen === "webgpu" && (backend ?? "auto") === "auto") {
      const onCpu = trainingMisfit(this.#need, data, "cpu", null);
      if (onCpu) throw onCpu;
      await this.engine.moveToCpu({ reason: "low-limits", sentence: misfit.message });
    } else if (misfit) throw misfit;
    let before = this.#phase;
    let lostAt = 0;
    try {
      await this.engine.begin({
        place: (calls) => this.#place(calls),
        onLost: () => {
          [before, lostAt] = [this.#phase, this.#counters.gStep];
          this.#phase = "lost";
        },
        onRestarted: () => {
          this.#phase = before;
          const lostSteps = lostAt - this.#counters.gStep;
          tell(this.options.onProgress, { phase: "restored", state: this.state, lostSteps });
        },
      });
    } catch (error) {
      throw refused(error, this.#kept, this.options.networks);
    }
  }

  async #needOf(recipe: string): Promise<TrainingNeed> {
    const { data } = this.options;
    const size = { recipe, resolution: data.resolution, classes: data.classNames.length };
    try {
      return await this.engine.ask((calls) => calls.need(size));
    } catch (cause) {
      throw refused(cause);
    }
  }

  /** The run at its last checkpoint. */
  async #place(calls: TrainCalls): Promise<void> {
    const { data, networks = null } = this.options;
    this.#counters = await calls.start({ data, recipe: this.#recipe, networks, checkpoint: this.#kept });
  }

  async step(n: number, which: Which = "both"): Promise<StepReport[]> {
    if (!Number.isSafeInteger(n) || n < 1) refuse("n", n, "1 or more steps", "bad-request");
    if (!["both", "d", "g"].includes(which)) {
      refuse("which", which, '"both", "d" or "g"', "bad-request");
    }
    const reports: StepReport[] = [];
    const signal = this.engine.signal();
    if (this.#stepping++ === 0) this.#pausing = false;
    this.#phase = "training";
    try {
      while (reports.length < n && !this.#pausing) {
        // other calls may run in between
        const report = await this.engine.run(() => this.#stepOnce(which));
        reports.push(report);
        this.options.onProgress?.({ phase: "step", report });
      }
      return reports;
    } finally {
      this.#stepping--;
      if (signal.aborted) this.#phase = "disposed";
      else if (this.#stepping === 0) this.#phase = "ready";
    }
  }

  async #stepOnce(which: Which): Promise<StepReport> {
    try {
      const answer = await this.engine.ask((calls) => calls.step(which).catch(stepFailed));
      const { memoryBytes, ...report } = answer;
      const { gStep, dStep, imagesSeen } = answer;
      this.#counters = { gStep, dStep, imagesSeen, memoryBytes };
      return report;
    } catch (error) {
      this.engine.signal();
      if (error instanceof BigGanError) throw error;
      const { gStep } = this.#counters;
      await this.engine.ask((calls) => this.#place(calls));
      throw diverged(error, gStep, this.#counters.gStep);
    }
  }

  async pause(): Promise<void> {
    if (this.#stepping === 0) return;
    this.#pausing = true;
    this.#phase = "pausing";
    // after the current step
    await this.engine.run(async () => {});
  }

  async look({ perClass = 8, scored = 8 } = {}): Promise<Look> {
    const seen = await this.#call((calls) => calls.look({ perClass, scored }));
    return lookOf(seen, this.#counters.gStep);
  }

  async save(): Promise<Blob> {
    return (this.#kept = await this.#call((calls) => calls.save()));
  }

  load(checkpoint: Blob): Promise<void> {
    return this.#call(async (calls) => {
      try {
        this.#counters = await calls.load(checkpoint);
        this.#kept = checkpoint;
      } catch (error) {
        throw faultOf(error) ?? badCheckpoint(error);
      }
    });
  }

  amend(asked: TrainRecipe): Promise<void> {
    return this.engine.run(async () => {
      const recipe = encodeRecipe(asked);
      const { data } = this.options;
      const need = await this.#needOf(recipe);
      const { backend } = this.engine.choice;
      const misfit = trainingMisfit(need, data, backend, backend === "webgpu" ? await bufferLimits() : null);
      if (misfit) throw misfit;
      const kept = (this.#kept = await this.engine.ask((calls) => calls.save()));
      await this.engine.ask(async (calls) => {
        try {
          this.#counters = await calls.start({ data, recipe, networks: null, checkpoint: kept });
        } catch (error) {
          const fault = faultOf(error);
          if (fault) throw fault;
          await this.#place(calls);
          throw refused(error, kept);
        }
      });
      [this.#asked, this.#recipe, this.#need] = [asked, recipe, need];
    });
  }

  exportModel(): Promise<Blob> {
    return this.#call((calls) => calls.exportModel());
  }

  packedImages(): Promise<Blob> {
    return this.#call((calls) => calls.packedImages());
  }

  dispose(): void {
    this.#phase = "disposed";
    this.engine.dispose(new BigGanError("disposed", "the trainer was disposed of; create another"));
  }

  /** Makes a call between steps. */
  #call<T>(request: (calls: TrainCalls) => Promise<T>): Promise<T> {
    return this.engine.run(() => this.engine.ask(request));
  }
}
