/** The live views of a run: samples, scores, curves, and the numbers in the diagram of a step. */

import { Curves, type SavedLogs } from "./curves.js";
import { GridView, samplesPerClass } from "./grid-view.js";
import type { Look, StepReport, TrainerState, TrainRecipe, Which } from "./package.js";
import { StepPicture } from "./picture/picture.js";
import { SCORED, ScoredView } from "./scored-view.js";
import { type LookSize, type Start, updatesOf } from "./session.js";

/** Numbers change at most this often while steps follow each other, in milliseconds. */
const NUMBERS_MS = 200;
/** Weight of the newest step in the displayed speed. */
const NEWEST = 0.1;

export class Watch {
  readonly #curves = new Curves();
  readonly #grid = new GridView();
  readonly #scored = new ScoredView();
  readonly #picture = new StepPicture();
  #classNames: readonly string[] = [];
  #imagesSeen = 0;
  #speed: number | undefined;
  #newest: StepReport | undefined;
  #shownAt = 0;

  constructor() {
    this.#scored.clear();
  }

  /** Images per second, averaged; `undefined` until a step was measured. */
  get speed(): number | undefined {
    return this.#speed;
  }

  /** The extent of the probes for these views. */
  lookSize(classes: number): LookSize {
    return { perClass: samplesPerClass(classes), scored: SCORED };
  }

  /** A run starts, or continues from another point. */
  begin({ data, recipe }: Start): void {
    this.clear();
    this.#classNames = data.classNames;
    this.#grid.clear(data.classNames);
    this.#picture.show(recipe, data.resolution);
  }

  clear(): void {
    this.#grid.clear([]);
    this.#curves.clear();
    this.#scored.clear();
    this.#picture.end();
    this.#imagesSeen = 0;
    this.#speed = undefined;
    this.#newest = undefined;
  }

  /** The networks that a recipe would make. */
  preview(recipe: TrainRecipe, resolution: number): void {
    this.#picture.show(recipe, resolution);
  }

  /** A step was taken. */
  report(report: StepReport): void {
    // a step of G alone sees no real images
    const images = report.imagesSeen - this.#imagesSeen;
    this.#imagesSeen = report.imagesSeen;
    const speed = images > 0 && report.elapsedMs > 0 ? (1000 * images) / report.elapsedMs : undefined;
    if (speed !== undefined) this.#speed = this.#speed === undefined ? speed : this.#speed + NEWEST * (speed - this.#speed);
    this.#curves.add(report, updatesOf(report), speed === undefined ? speed : this.#speed);
    this.#newest = report;
    const now = performance.now();
    if (now - this.#shownAt < NUMBERS_MS) return;
    this.#shownAt = now;
    this.#picture.setMeasured(report);
  }

  look(look: Look, state: TrainerState | undefined): void {
    const updates = updatesOf(state);
    this.#imagesSeen = state?.imagesSeen ?? 0;
    this.#grid.add(look, updates);
    this.#scored.show(look, this.#classNames);
    this.#curves.addSigmas(look.sigmas, updates);
    if (this.#newest) this.#picture.setMeasured(this.#newest);
    const [real, fake] = [look.real[0], look.fake[0]];
    if (real) this.#picture.setImage("reals", real.image);
    if (fake) this.#picture.setImage("fakes", fake.image);
  }

  /** Training went back to an earlier point: everything after it is dropped. */
  backTo(state: TrainerState | undefined): void {
    this.#imagesSeen = state?.imagesSeen ?? 0;
    this.#curves.cutAfter(updatesOf(state));
    this.#grid.cutAfter(updatesOf(state));
  }

  /** Walks through a single step. */
  walk(which: Which, report: StepReport | undefined): void {
    if (report) this.#picture.setMeasured(report);
    this.#picture.walk(which);
  }

  /** Shows a step in slow motion; ends with it. */
  slowStep(look: Look, report: StepReport): Promise<void> {
    this.#picture.setMeasured(report);
    return this.#picture.move({ look, report, classNames: this.#classNames });
  }

  /** The visitor wants to see steps in slow motion, or no longer. */
  showSlow(slow: boolean): void {
    if (slow) this.#picture.bringIntoSight();
    else this.#picture.endMotion();
  }

  /** Steps follow each other too fast to walk through. */
  endWalk(): void {
    this.#picture.end();
  }

  save(): SavedLogs {
    return this.#curves.save();
  }

  restore(curves: SavedLogs): void {
    this.#curves.restore(curves);
  }
}
