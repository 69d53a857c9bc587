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
import type { Origin } from "./origin.js";
import { Pace } from "./pace.js";
import { sameRecipe } from "./same-recipe.js";

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
  /** Trained networks, in place of random weights. */
  origin?: Origin | null;
  /** Name of the networks that it started from, also where they are no longer at hand. */
  startedFrom?: string | undefined;
  /** Steps of D alone with which it begins. */
  dFirst?: number;
}

export interface SessionEvents {
  onMode(mode: Mode): void;
  onProgress(progress: TrainProgress): void;
  onReport(report: StepReport): void;
  onLook(look: Look): void;
  /** A step in slow motion: the look just before it, and what it measured. The next waits until this has been shown. */
  onSlowStep(look: Look, report: StepReport): Promise<void>;
  /** Training has stopped at the trainer's state; after a value that was not finite, that is an earlier state. */
  onProblem(error: unknown): void;
}

/** Steps of D and G together: the axis of the curves. */
export const updatesOf = (state: { gStep: number; dStep: number } | undefined): number =>
  state ? state.gStep + state.dStep : 0;

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
  #slow = false;
  /** The step in slow motion that is being shown. */
  #showing: Promise<void> | undefined;
  /** Ends the wait for it. */
  #wake: () => void = () => {};
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

  /** Whether D learns alone at first. */
  get isDFirst(): boolean {
    return this.#dLeft > 0;
  }

  /** Turns of D that are left before both learn. */
  get #dLeft(): number {
    const { state } = this;
    const { dFirst = 0, recipe } = this.#start ?? {};
    if (!state || !recipe || state.gStep > 0) return 0;
    return Math.max(0, Math.ceil((dFirst - state.dStep) / recipe.dSteps));
  }

  get #which(): Which {
    return this.isDFirst ? "d" : "both";
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
      const { data, recipe, checkpoint, origin = null, startedFrom = origin?.name, dFirst = 0 } = start;
      const trainer = await createTrainer({
        ...{ data, recipe },
        ...(checkpoint && { checkpoint }),
        ...(origin && { networks: origin.file }),
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
      this.#start = { data, recipe, origin, startedFrom, dFirst };
      this.#pace = new Pace();
      this.#setMode("paused");
      await this.look();
    } catch (error) {
      if (opening.signal.aborted) return;
      this.#setMode("none");
      throw error;
    }
  }

  /** Goes on with another recipe of the same networks; returns whether it is another. */
  amend(change: (runs: TrainRecipe) => TrainRecipe): Promise<boolean> {
    return this.between(async (trainer) => {
      const { recipe: before } = trainer.state;
      const recipe = change(before);
      if (sameRecipe(before, recipe)) return false;
      await trainer.amend(recipe);
      if (this.#start) this.#start = { ...this.#start, recipe };
      return true;
    });
  }

  close(): void {
    this.#opening.abort();
    for (const task of this.#tasks.splice(0)) task.cancel();
    this.#trainer?.dispose();
    this.#trainer = undefined;
    this.#showing = undefined;
    this.#wake();
    this.#setMode("none");
  }

  get slow(): boolean {
    return this.#slow;
  }

  /** Whether steps are taken one at a time, each when the one before it has been shown. */
  set slow(slow: boolean) {
    this.#slow = slow;
    if (slow) void this.#trainer?.pause();
    this.#wake();
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
    this.#wake();
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
    return this.between(async (trainer) => void (await this.#look(trainer)));
  }

  /** Does something with the trainer between two steps, interrupting and then resuming a run of steps. */
  between<T>(work: (trainer: Trainer) => Promise<T>): Promise<T> {
    if (!this.#trainer) return Promise.reject(new Error("nothing is trained yet: press Play first"));
    return new Promise((resolve, reject) => {
      this.#tasks.push({
        run: (trainer) => work(trainer).then(resolve, reject),
        cancel: () => reject(new Error("another run has started")),
      });
      this.#wake();
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
        else if (this.#slow) await this.#slowStep(trainer);
        else if (this.#pace.isLookDue(performance.now())) await this.#look(trainer);
        else await trainer.step(Math.min(this.#pace.steps, this.#dLeft || Infinity), this.#which);
      }
    } catch (error) {
      if (trainer === this.#trainer) this.#fail(error);
    } finally {
      this.#running = false;
    }
    // a step that failed leaves requests behind, and a new run has its own steps
    const again = this.#tasks.length > 0 || (this.#trainer !== trainer && this.#mode === "playing");
    if (this.#trainer && again) void this.#run();
  }

  async #look(trainer: Trainer): Promise<Look> {
    const began = performance.now();
    const look = await trainer.look(this.lookSize);
    this.#pace.lookTook(performance.now() - began, performance.now());
    if (trainer === this.#trainer) this.#events.onLook(look);
    return look;
  }

  /** Takes a step, or waits while the one before it is shown: requests come in between. */
  async #slowStep(trainer: Trainer): Promise<void> {
    if (this.#showing) {
      await Promise.race([this.#showing, new Promise<void>((resolve) => (this.#wake = resolve))]);
      return;
    }
    const look = await this.#look(trainer);
    const [report] = await trainer.step(1, this.#which);
    if (!report || trainer !== this.#trainer) return;
    const showing = this.#events.onSlowStep(look, report).finally(() => {
      if (this.#showing === showing) this.#showing = undefined;
    });
    this.#showing = showing;
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
