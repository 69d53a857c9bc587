/** Where to compute: in a worker if the page may start one, otherwise on the main thread. */

import type { Backend, EngineOptions, PlaceReason } from "./api.js";
import { type Engine, NoWorkerError } from "./engine.js";
import { MainEngine } from "./main-engine.js";
import type { Side } from "./protocol.js";
import { WorkerEngine } from "./worker-engine.js";

/** The package's own worker; throws {@link NoWorkerError} if the page may not start it. */
export function startOwn(start: () => Worker): Worker {
  try {
    return start();
  } catch (error) {
    throw new NoWorkerError(String(error));
  }
}

export class Starter<C> {
  placeReason: PlaceReason;

  constructor(
    private readonly side: Side<C>,
    private readonly ownWorker: () => Worker,
    private readonly wanted: EngineOptions["worker"] = "auto",
  ) {
    if (wanted !== "auto") this.placeReason = "asked";
    else if (typeof Worker === "undefined") this.placeReason = "no-worker";
    else {
      // browsers start workers from the page's own origin only
      const own = new URL(import.meta.url).origin === location.origin;
      this.placeReason = own ? "own-worker" : "other-origin";
    }
  }

  /** Opens a backend; if the worker does not start, on the main thread from now on. */
  async start(backend: Backend): Promise<Engine<C>> {
    const { wanted } = this;
    if (typeof wanted === "function") return WorkerEngine.open(backend, wanted());
    if (this.placeReason === "own-worker") {
      try {
        return await WorkerEngine.open(backend, startOwn(this.ownWorker));
      } catch (error) {
        if (!(error instanceof NoWorkerError)) throw error;
        this.placeReason = "no-worker";
      }
    }
    return MainEngine.open(this.side, backend);
  }
}
