/** Keeps a run in this browser, so that a reload, a crash or a closed lid loses little. */

import type { SavedLogs } from "./curves.js";
import { openStore, type TrainingData, type TrainingStore, type TrainRecipe } from "./package.js";
import type { Session } from "./session.js";

const INTERVAL_MS = 60_000;

/** What the view stores with the checkpoint. */
export interface Note {
  curves: SavedLogs;
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
  onProblem(error: unknown): void;
}

export class Keeper {
  readonly #session: Session;
  readonly #events: KeeperEvents;
  #store: TrainingStore | undefined;
  /** Steps of D and G when the last checkpoint was kept. */
  #keptAt = -1;
  #keeping: Promise<void> | undefined;

  constructor(session: Session, events: KeeperEvents) {
    this.#session = session;
    this.#events = events;
    setInterval(() => void this.keep(), INTERVAL_MS);
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "hidden") void this.keep();
    });
  }

  /**
   * The stored run, if any.
   *
   * @throws if the browser stores nothing for this page, or the stored run cannot be read
   */
  async last(): Promise<Kept | null> {
    this.#store = await openStore();
    const last = await this.#store.last();
    return last ? { ...last, note: isNote(last.note) ? last.note : null } : null;
  }

  /** Stores the run as it is now, unless it is stored already. */
  keep(): Promise<void> {
    this.#keeping ??= this.#keep().finally(() => (this.#keeping = undefined));
    return this.#keeping;
  }

  /** A new run whose first steps need not be stored: the old run stays until this one has more. */
  begin(updates: number): void {
    this.#keptAt = updates;
  }

  async forget(): Promise<void> {
    await this.#store?.clear();
  }

  async #keep(): Promise<void> {
    const { start, state, mode } = this.#session;
    const updates = state ? state.gStep + state.dStep : 0;
    if (!this.#store || !start || !state || mode === "failed" || updates <= this.#keptAt) return;
    try {
      const checkpoint = await this.#session.between((trainer) => trainer.save());
      await this.#store.keep({ checkpoint, ...start, note: this.#events.noteNow() });
      this.#keptAt = updates;
      this.#events.onKept(new Date());
    } catch (error) {
      this.#events.onProblem(error);
    }
  }
}

/** Whether it is a note of this version of the page. */
const isNote = (note: unknown): note is Note =>
  typeof note === "object" && note !== null && (note as Partial<Note>).curves?.steps?.at !== undefined;
