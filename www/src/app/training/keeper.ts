/** Keeps a run in this browser, so that a reload, a crash or a closed lid loses little. */

import type { SavedLogs } from "./curves.js";
import { openStore, type TrainingData, type TrainingStore, type TrainRecipe } from "./package.js";
import { type Session, updatesOf } from "./session.js";

/**
 * A run is kept for the first time after this many milliseconds, then each time after twice as long, up to the most; later
 * where keeping would take more than a share of the time.
 */
const FIRST_MS = 2_000;
const MOST_MS = 15_000;
const MOST_SHARE = 0.05;

/** What the view stores with the checkpoint. */
export interface Note {
  curves: SavedLogs;
  /** Steps of D alone with which the run began or begins. */
  dFirst?: number;
  /** Name of the networks that it started from. */
  startedFrom?: string | undefined;
}

/** A stored run. */
export interface Kept {
  checkpoint: Blob;
  data: TrainingData;
  recipe: TrainRecipe;
  note: Note | null;
  savedAt: number;
}

export interface KeeperEvents {
  noteNow(): Note;
  onKept(at: Date): void;
  /** The run is not kept, and why; it is tried again. */
  onNotKept(error: unknown): void;
}

export class Keeper {
  readonly #session: Session;
  readonly #events: KeeperEvents;
  #store: TrainingStore | undefined;
  /** Counts runs: a checkpoint may be written after its run has ended. */
  #run = 0;
  /** Steps of D and G of the run when it was kept; `undefined` if something else is kept. */
  #keptAt: number | undefined;
  /** Reads, writes and deletions, one after another. */
  #queue: Promise<unknown> = Promise.resolve();
  #askedToStay = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(session: Session, events: KeeperEvents) {
    this.#session = session;
    this.#events = events;
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "hidden") void this.keep();
    });
    // a page that is being left cannot wait for a checkpoint: the browser asks the visitor, and the page keeps meanwhile
    addEventListener("beforeunload", (event) => {
      if (!this.#isUnkept) return;
      event.preventDefault();
      void this.keep();
    });
  }

  /** The stored run; `null` if there is none, or this browser stores nothing for this page. */
  last(): Promise<Kept | null> {
    return this.#inTurn(async () => {
      try {
        this.#store ??= await openStore();
        const last = await this.#store.last();
        return last ? { ...last, note: isNote(last.note) ? last.note : null } : null;
      } catch (error) {
        this.#events.onNotKept(error);
        return null;
      }
    });
  }

  /** Stores the run as it is now, unless it is stored already. */
  keep(): Promise<void> {
    return this.#inTurn(() => this.#keep());
  }

  /** Another run. It is stored with `keptAt` steps already; 0 leaves the run before it in store until this one has a step. */
  begin(keptAt?: number): void {
    this.#run += 1;
    this.#keptAt = keptAt;
    this.#keepAfter(FIRST_MS);
  }

  /** Deletes the stored run. */
  forget(): Promise<void> {
    return this.#inTurn(async () => this.#store?.clear()).catch(this.#events.onNotKept);
  }

  /** Whether leaving the page would lose steps. */
  get #isUnkept(): boolean {
    const { state, mode } = this.#session;
    return state !== undefined && mode !== "failed" && updatesOf(state) !== this.#keptAt;
  }

  async #keep(): Promise<void> {
    const { start } = this.#session;
    if (!start || !this.#isUnkept) return;
    const run = this.#run;
    try {
      // another tab may have had it, or it was denied
      this.#store ??= await openStore();
      const { updates, ...kept } = await this.#session.between(async (trainer) => ({
        checkpoint: await trainer.save(),
        note: this.#events.noteNow(),
        updates: updatesOf(trainer.state),
      }));
      await this.#store.keep({ ...start, ...kept });
      if (run !== this.#run) return;
      this.#keptAt = updates;
      this.#events.onKept(new Date());
      this.#askToStay();
    } catch (error) {
      this.#store = undefined;
      // a run that ended while it was saved is no longer to be kept
      if (run === this.#run && this.#session.mode !== "failed") this.#events.onNotKept(error);
    }
  }

  /** Keeps the run after a while, and then again and again. */
  #keepAfter(ms: number): void {
    const run = this.#run;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(async () => {
      const began = performance.now();
      await this.keep();
      if (run !== this.#run) return;
      const took = performance.now() - began;
      this.#keepAfter(Math.max(Math.min(2 * ms, MOST_MS), took / MOST_SHARE));
    }, ms);
  }

  /** Asks the browser, once, not to delete the run when the disk is nearly full. */
  #askToStay(): void {
    if (this.#askedToStay) return;
    this.#askedToStay = true;
    navigator.storage?.persist?.().catch(() => {});
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(task);
    this.#queue = turn.catch(() => {});
    return turn;
  }
}

/** Whether it is a note of this version of the page. */
const isNote = (note: unknown): note is Note =>
  typeof note === "object" && note !== null && (note as Partial<Note>).curves?.steps?.at !== undefined;
