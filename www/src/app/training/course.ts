/** The course of trainings: one begins, is reset, had back, gone on with after a reload, or from a file. */

import { dismiss, notify } from "../notices.js";
import { sentenceOf } from "../sentence.js";
import type { SavedLogs } from "./curves.js";
import type { Kept, Keeper } from "./keeper.js";
import { saveCheckpoint } from "./model-files.js";
import type { Session, Start } from "./session.js";
import { updatesOf, type Watch } from "./watch.js";
import { ago, describeData } from "./words.js";

export interface CourseEvents {
  /** Data and recipe that become what is chosen. */
  onWant(begun: Start): void;
  /** There is another training now, or none. */
  onChange(): void;
  onProblem(error: unknown): void;
}

/** A training that stopped, with its curves. */
interface Left {
  start: Start;
  curves: SavedLogs | null;
}

export class Course {
  readonly #session: Session;
  readonly #watch: Watch;
  readonly #keeper: Keeper;
  readonly #events: CourseEvents;

  constructor(session: Session, watch: Watch, keeper: Keeper, events: CourseEvents) {
    this.#session = session;
    this.#watch = watch;
    this.#keeper = keeper;
    this.#events = events;
  }

  /** Goes on with the training that this browser keeps; false if it keeps none. */
  async resume(): Promise<boolean> {
    let last: Kept | null;
    try {
      last = await this.#keeper.last();
    } catch (error) {
      notify("kept", sentenceOf(error));
      return false;
    }
    if (!last) return false;
    this.#events.onWant(last);
    const when = `kept ${ago(Date.now() - last.savedAt)}`;
    try {
      await this.#reopen(leftOf(last));
    } catch (error) {
      const { checkpoint, data } = last;
      // it stays until another training is kept
      notify("restored", `The training ${when} could not be opened: ${sentenceOf(error)}`, {
        label: "Save its checkpoint",
        run: () => saveCheckpoint(checkpoint, data, "kept"),
      });
      return true;
    }
    this.#keeper.begin(updatesOf(this.#session.state));
    notify("restored", `The training is where you left it (${describeData(last.data)}), ${when}: press Play to go on.`, {
      label: "Start afresh",
      run: () => void this.#startAfresh(),
    });
    return true;
  }

  /** Sees to it that there is a training; one that has failed goes on from what was kept of it. */
  async ensure(wanted: Start | null): Promise<boolean> {
    const { mode } = this.#session;
    if (mode !== "none" && mode !== "failed") return true;
    if (!wanted) return false;
    try {
      const kept = mode === "failed" ? await this.#keeper.last().catch(() => null) : null;
      if (kept && kept.data.sha256 === wanted.data.sha256) {
        this.#events.onWant(kept);
        await this.#reopen(leftOf(kept));
        this.#keeper.begin(updatesOf(this.#session.state));
      } else {
        await this.#open(wanted);
        this.#keeper.begin(0);
      }
      return true;
    } catch (error) {
      this.#events.onProblem(error);
      return false;
    }
  }

  /** Starts again from the beginning; the training before can be had back. */
  async reset(wanted: Start): Promise<void> {
    const before = await this.#leave();
    try {
      await this.#open(wanted);
    } catch (error) {
      this.#events.onProblem(error);
      // the training goes on as it was; what was asked for stays in the form, to be mended
      if (before) await this.#reopen(before).catch(this.#events.onProblem);
      return;
    }
    this.#keeper.begin(0);
    if (!before) return;
    notify("restored", "Started again from the beginning.", { label: "Undo", run: () => void this.#undo(before) });
  }

  /** Goes on from a checkpoint file; `wanted` says of what, where there is no training yet. */
  async goOnFrom(checkpoint: Blob, wanted: Start | null): Promise<void> {
    const { start: runs, mode } = this.#session;
    if (runs && (mode === "paused" || mode === "playing")) {
      await this.#session.between((trainer) => trainer.load(checkpoint));
      this.#watch.begin(runs);
      await this.#session.look();
      return;
    }
    if (!wanted) throw new Error("choose the data and the recipe of the checkpoint first");
    await this.#open({ ...wanted, checkpoint });
  }

  async #startAfresh(): Promise<void> {
    dismiss("restored");
    this.#session.close();
    this.#watch.clear();
    await this.#keeper.forget();
    this.#events.onChange();
  }

  async #undo(before: Left): Promise<void> {
    dismiss("restored");
    this.#events.onWant(before.start);
    await this.#reopen(before).catch(this.#events.onProblem);
    this.#keeper.begin(0);
  }

  /** The training that is there, with a checkpoint of now; `null` if there is nothing to keep. */
  async #leave(): Promise<Left | null> {
    const { start: runs, state, mode } = this.#session;
    if (!runs || updatesOf(state) === 0 || mode === "failed") return null;
    try {
      const checkpoint = await this.#session.between((trainer) => trainer.save());
      return { start: { ...runs, checkpoint }, curves: this.#watch.save() };
    } catch {
      // a training that cannot be saved is given up
      return null;
    }
  }

  async #open(begun: Start): Promise<void> {
    this.#session.lookSize = this.#watch.lookSize(begun.data.classNames.length);
    this.#watch.begin(begun);
    await this.#session.open(begun);
    this.#events.onChange();
  }

  async #reopen({ start, curves }: Left): Promise<void> {
    await this.#open(start);
    if (curves) this.#watch.restore(curves);
  }
}

const leftOf = ({ checkpoint, data, recipe, note }: Kept): Left => ({
  start: { checkpoint, data, recipe },
  curves: note?.curves ?? null,
});
