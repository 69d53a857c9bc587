/** The life of runs: start, reset, undo, and continuing after a reload or from a file. */

import { dismiss, notify } from "../notices.js";
import { sentenceOf } from "../sentence.js";
import type { SavedLogs } from "./curves.js";
import type { Kept, Keeper } from "./keeper.js";
import { saveCheckpoint } from "./model-files.js";
import type { TrainRecipe } from "./package.js";
import { withLive } from "./recipe-form.js";
import { type Session, type Start, updatesOf } from "./session.js";
import type { Watch } from "./watch.js";
import { ago, describeData } from "./words.js";

export interface CourseEvents {
  /** Data and recipe that the page should now show as chosen. */
  onWant(begun: Start): void;
  /** The run has changed, or there is none. */
  onChange(): void;
  onProblem(error: unknown): void;
}

/** A stopped run, with its curves. */
interface Left {
  start: Start;
  curves: SavedLogs | null;
}

export class Course {
  readonly #session: Session;
  readonly #watch: Watch;
  readonly #keeper: Keeper;
  readonly #events: CourseEvents;
  /** The change of runs under way. */
  #changing: Promise<unknown> = Promise.resolve();

  constructor(session: Session, watch: Watch, keeper: Keeper, events: CourseEvents) {
    this.#session = session;
    this.#watch = watch;
    this.#keeper = keeper;
    this.#events = events;
  }

  /** Continues the run that this browser keeps; false if it keeps none. */
  resume(): Promise<boolean> {
    return this.#alone(() => this.#resume());
  }

  /** Makes sure that there is a run; a failed run continues from its last checkpoint. */
  ensure(wanted: Start | null): Promise<boolean> {
    return this.#alone(() => this.#ensure(wanted));
  }

  /** Starts again from the beginning; the previous run can be restored. */
  reset(wanted: Start): Promise<void> {
    return this.#alone(() => this.#reset(wanted));
  }

  /** Continues from a checkpoint file; `wanted` gives its data and recipe if there is no run yet. */
  goOnFrom(checkpoint: File, wanted: Start | null): Promise<void> {
    return this.#alone(() => this.#goOnFrom(checkpoint, wanted));
  }

  /** Goes on with what is live of a recipe; returns whether anything is different. */
  async amend(asked: TrainRecipe): Promise<boolean> {
    if (!(await this.#session.amend((runs) => withLive(runs, asked)))) return false;
    const { start: runs } = this.#session;
    if (runs) this.#watch.preview(runs.recipe, runs.data.resolution);
    // the same steps are in store with another recipe
    this.#keeper.begin();
    void this.#keeper.keep();
    return true;
  }

  /** One change of runs after another: what is asked for during one is done with the run that it ends with. */
  #alone<T>(change: () => Promise<T>): Promise<T> {
    const done = this.#changing.then(change);
    this.#changing = done.catch(() => {
      // whoever asked for it hears of it
    });
    return done;
  }

  async #resume(): Promise<boolean> {
    const last = await this.#keeper.last();
    if (!last) return false;
    const left = leftOf(last);
    this.#events.onWant(left.start);
    const when = `kept ${ago(Date.now() - last.savedAt)}`;
    try {
      await this.#reopen(left);
    } catch (error) {
      const { checkpoint, data } = last;
      // it stays until another run is kept
      notify("restored", `The run ${when} could not be opened: ${sentenceOf(error)}`, {
        label: "Save its checkpoint",
        run: () => saveCheckpoint(checkpoint, data, "kept"),
      });
      return true;
    }
    this.#keeper.begin(updatesOf(this.#session.state));
    notify("restored", `Your run is where you left it (${describeData(last.data)}), ${when}: press Play to continue.`, {
      label: "Start over",
      run: () => void this.#alone(() => this.#startAfresh()),
    });
    return true;
  }

  async #ensure(wanted: Start | null): Promise<boolean> {
    const { mode } = this.#session;
    if (mode !== "none" && mode !== "failed") return true;
    if (!wanted) return false;
    try {
      const kept = mode === "failed" ? await this.#keeper.last() : null;
      if (kept && kept.data.sha256 === wanted.data.sha256) {
        const left = leftOf(kept);
        this.#events.onWant(left.start);
        await this.#reopen(left);
        this.#keeper.begin(updatesOf(this.#session.state));
      } else await this.#open(wanted, 0);
      return true;
    } catch (error) {
      this.#events.onProblem(error);
      return false;
    }
  }

  async #reset(wanted: Start): Promise<void> {
    const before = await this.#leave();
    try {
      await this.#open(wanted, 0);
    } catch (error) {
      this.#events.onProblem(error);
      // the run continues unchanged; the request stays in the form, to be corrected
      if (before) await this.#reopen(before).catch(this.#events.onProblem);
      return;
    }
    if (before) this.#offerUndo("Started again from the beginning.", before);
  }

  async #goOnFrom(checkpoint: File, wanted: Start | null): Promise<void> {
    const { start: runs, mode } = this.#session;
    if (runs && (mode === "paused" || mode === "playing")) {
      const before = await this.#leave();
      await this.#session.between(async (trainer) => {
        await trainer.load(checkpoint);
        this.#watch.begin(runs);
        this.#keeper.begin();
      });
      if (before) this.#offerUndo(`The run is now that of ${checkpoint.name}.`, before);
      await this.#session.look();
    } else {
      if (!wanted) throw new Error("choose the data and the recipe of the checkpoint first");
      await this.#open({ ...wanted, checkpoint });
    }
    void this.#keeper.keep();
  }

  #offerUndo(done: string, before: Left): void {
    notify("restored", done, { label: "Undo", run: () => void this.#alone(() => this.#undo(before)) });
  }

  async #startAfresh(): Promise<void> {
    dismiss("restored");
    const before = await this.#leave();
    this.#session.close();
    this.#watch.clear();
    await this.#keeper.forget();
    this.#events.onChange();
    if (before) this.#offerUndo("Started over: the run is no longer in this browser.", before);
  }

  async #undo(before: Left): Promise<void> {
    dismiss("restored");
    this.#events.onWant(before.start);
    await this.#reopen(before).catch(this.#events.onProblem);
    void this.#keeper.keep();
  }

  /** The current run with a new checkpoint; `null` if there is nothing to keep. */
  async #leave(): Promise<Left | null> {
    const { start: runs, state, mode } = this.#session;
    if (!runs || updatesOf(state) === 0 || mode === "failed") return null;
    try {
      const checkpoint = await this.#session.between((trainer) => trainer.save());
      return { start: { ...runs, checkpoint }, curves: this.#watch.save() };
    } catch {
      // a run that cannot be saved is given up
      return null;
    }
  }

  /** `keptAt`: the steps with which the run is in store already. */
  async #open(begun: Start, keptAt?: number): Promise<void> {
    this.#session.lookSize = this.#watch.lookSize(begun.data.classNames.length);
    this.#watch.begin(begun);
    this.#keeper.begin(keptAt);
    await this.#session.open(begun);
    this.#events.onChange();
  }

  async #reopen({ start, curves }: Left): Promise<void> {
    await this.#open(start);
    if (curves) this.#watch.restore(curves);
  }
}

const leftOf = ({ checkpoint, data, recipe, note }: Kept): Left => ({
  start: { checkpoint, data, recipe, startedFrom: note?.startedFrom, dFirst: note?.dFirst ?? 0 },
  curves: note?.curves ?? null,
});
