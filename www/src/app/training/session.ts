/**
 * A run: a trainer, and the loop that requests steps. All requests to the trainer go through here one after
 * another, so that a probe, a checkpoint or an export comes between two steps and never during one.
 */

import {
  type Backend,
  BigGanError,
  createTrainer,
  type Look,
  type StepReport,
  type TrainProgress,
  type Trainer,
  type TrainerState,
  type TrainingData,
  type TrainRecipe,
  type Which,
} from "./package.js";
import { Pace } from "./pace.js";

export type Mode =
  /** No trainer yet. */
  | "none"
  | "preparing"
  | "paused"
  /** A single step, requested by the visitor. */
  | "stepping"
  | "playing"
  /** The trainer has failed for good; the stored run remains. */
  | "failed";

/** Recipe and data of a run, and its starting point. */
export interface Start {
  data: TrainingData;
  recipe: TrainRecipe;
  checkpoint?: Blob;
}

export interface SessionEvents {
  onMode(mode: Mode): void;
  onProgress(progress: TrainProgress): void;
  onReport(report: StepReport): void;
  onLook(look: Look): void;
  /** Training has stopped at the trainer's state; after a value that was not finite, that is an earlier state. */
  onProblem(error: unknown): void;
}

/** The extent of a probe. */
export interface LookSize {
  perClass: number;
  scored: number;
}

interface Task {
  run(trainer: Trainer): Promise<void>;
  cancel(): void;
}

export class Session {
  readonly #events: SessionEvents;
  readonly #backend: Backend | "auto";
  #trainer: Trainer | undefined;
  #start: Start | undefined;
  #mode: Mode = "none";
  readonly #tasks: Task[] = [];
  #running = false;
  #opening = new AbortController();
  #pace = new Pace();
  lookSize: LookSize = { perClass: 8, scored: 8 };

  constructor(events: SessionEvents, backend: Backend | "auto") {
    this.#events = events;
    this.#backend = backend;
  }

  get mode(): Mode {
    return this.#mode;
  }

  /** What runs; `undefined` before the first run. */
  get start(): Start | undefined {
    return this.#start;
  }

  get state(): TrainerState | undefined {
    return this.#trainer?.state;
  }

  /**
   * Starts a run in place of the previous one, paused.
   *
   * The old trainer is disposed of first: two may not fit into memory.
   */
  async open(start: Start): Promise<void> {
    this.close();
    const opening = (this.#opening = new AbortController());
    this.#setMode("preparing");
    try {
      const trainer = await createTrainer({
        ...start,
        backend: this.#backend,
        signal: opening.signal,
        onProgress: (progress) => {
          if (!opening.signal.aborted) this.#heard(progress);
        },
      });
      if (opening.signal.aborted) {
        trainer.dispose();
        return;
      }
      this.#trainer = trainer;
      this.#start = { data: start.data, recipe: start.recipe };
      this.#pace = new Pace();
      this.#setMode("paused");
      await this.look();
    } catch (error) {
      if (opening.signal.aborted) return;
      this.#setMode("none");
      throw error;
    }
  }

  close(): void {
    this.#opening.abort();
    for (const task of this.#tasks.splice(0)) task.cancel();
    this.#trainer?.dispose();
    this.#trainer = undefined;
    this.#setMode("none");
  }

  play(): void {
    if (this.#mode !== "paused") return;
    this.#setMode("playing");
    void this.#run();
  }

  /** Stops training after the current step. */
  async pause(): Promise<void> {
    if (this.#mode !== "playing") return;
    this.#setMode("paused");
    await this.#trainer?.pause();
  }

  /** One step of D, of G, or of both, then a probe. */
  async step(which: Which): Promise<StepReport | undefined> {
    if (this.#mode !== "paused") return undefined;
    this.#setMode("stepping");
    try {
      return await this.between(async (trainer) => {
        const [report] = await trainer.step(1, which);
        await this.#look(trainer);
        return report;
      });
    } finally {
      if (this.mode === "stepping") this.#setMode("paused");
    }
  }

  /** Probes the networks as soon as no step is running. */
  look(): Promise<void> {
    return this.between((trainer) => this.#look(trainer));
  }

  /** Does something with the trainer between two steps, interrupting and then resuming a run of steps. */
  between<T>(work: (trainer: Trainer) => Promise<T>): Promise<T> {
    if (!this.#trainer) return Promise.reject(new Error("nothing is trained yet: press Play first"));
    return new Promise((resolve, reject) => {
      this.#tasks.push({
        run: (trainer) => work(trainer).then(resolve, reject),
        cancel: () => reject(new Error("another run has started")),
      });
      if (this.#running) void this.#trainer?.pause();
      else void this.#run();
    });
  }

  async #run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    const trainer = this.#trainer;
    try {
      // a new run has its own loop
      while (trainer && trainer === this.#trainer) {
        const task = this.#tasks.shift();
        if (task) await task.run(trainer);
        else if (this.#mode !== "playing") break;
        else if (this.#pace.isLookDue(performance.now())) await this.#look(trainer);
        else await trainer.step(this.#pace.steps);
      }
    } catch (error) {
      if (trainer === this.#trainer) this.#fail(error);
    } finally {
      this.#running = false;
    }
    if (this.#trainer !== trainer && (this.#tasks.length > 0 || this.#mode === "playing")) void this.#run();
  }

  async #look(trainer: Trainer): Promise<void> {
    const began = performance.now();
    const look = await trainer.look(this.lookSize);
    this.#pace.lookTook(performance.now() - began, performance.now());
    if (trainer === this.#trainer) this.#events.onLook(look);
  }

  #heard(progress: TrainProgress): void {
    this.#events.onProgress(progress);
    if (progress.phase !== "step") return;
    this.#pace.stepTook(progress.report.elapsedMs);
    this.#events.onReport(progress.report);
  }

  #fail(error: unknown): void {
    const stands = error instanceof BigGanError && error.code === "diverged";
    this.#setMode(stands ? "paused" : "failed");
    this.#events.onProblem(error);
  }

  #setMode(mode: Mode): void {
    if (mode === this.#mode) return;
    this.#mode = mode;
    this.#events.onMode(mode);
  }
}
