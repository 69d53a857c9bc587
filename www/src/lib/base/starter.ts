/** Where to compute: in a worker if the page may start one, otherwise on the main thread. */

import type { Backend, EngineOptions, PlaceReason } from "./api.js";
import { type Engine, NoWorkerError } from "./engine.js";
import { BigGanError } from "./errors.js";
import { MainEngine } from "./main-engine.js";
import { isElsewhere, type OwnWorker, startGiven, startOwn } from "./own-worker.js";
import type { Side } from "./protocol.js";
import { WorkerEngine } from "./worker-engine.js";

export class Starter<C> {
  placeReason: PlaceReason;

  constructor(
    private readonly side: Side<C>,
    private readonly ownWorker: OwnWorker,
    private readonly wanted: EngineOptions["worker"] = "auto",
  ) {
    this.placeReason = wanted === "auto" ? "own-worker" : "asked";
  }

  /** Opens a backend; if the worker does not start, on the main thread from now on. */
  async start(backend: Backend): Promise<Engine<C>> {
    const { wanted } = this;
    if (typeof wanted === "function") return this.#startGiven(backend, wanted);
    if (this.placeReason === "own-worker") {
      try {
        return await WorkerEngine.open(backend, startOwn(this.ownWorker));
      } catch (error) {
        if (!(error instanceof NoWorkerError)) throw error;
        this.placeReason = isElsewhere() ? "other-origin" : "no-worker";
      }
    }
    return MainEngine.open(this.side, backend);
  }

  /** A worker that the page was to start is the page's to mend. */
  async #startGiven(backend: Backend, start: () => Worker): Promise<Engine<C>> {
    try {
      return await WorkerEngine.open(backend, startGiven(start));
    } catch (cause) {
      if (!(cause instanceof NoWorkerError)) throw cause;
      throw new BigGanError(
        "unsupported",
        `the page's worker did not start (${cause.message}); serve ${this.ownWorker.file} from the page's own origin, or ` +
          'give "worker": "main"',
        { field: "worker", cause },
      );
    }
  }
}
