/** Where to compute: in a worker if the page may start one, else on the main thread. */

import type { Backend, GeneratorOptions, Place, PlaceReason } from "./api.js";
import { type Engine, NoWorkerError } from "../base/engine.js";
import { MainEngine } from "./main-engine.js";
import { WorkerEngine } from "../base/worker-engine.js";

export class Starter {
  place: Place;
  placeReason: PlaceReason;

  constructor(private readonly wanted: NonNullable<GeneratorOptions["worker"]>) {
    if (wanted === "main") [this.place, this.placeReason] = ["main", "asked"];
    else if (wanted !== "auto") [this.place, this.placeReason] = ["worker", "asked"];
    else if (typeof Worker === "undefined") [this.place, this.placeReason] = ["main", "no-worker"];
    else if (new URL(import.meta.url).origin !== location.origin) {
      // browsers start workers from the page's own origin only
      [this.place, this.placeReason] = ["main", "other-origin"];
    } else [this.place, this.placeReason] = ["worker", "own-worker"];
  }

  /** Opens a backend; where the worker does not come up, on the main thread from now on. */
  async start(backend: Backend): Promise<Engine> {
    if (this.place === "main") return MainEngine.open(backend);
    try {
      return await WorkerEngine.open(backend, this.#worker());
    } catch (error) {
      if (this.wanted !== "auto" || !(error instanceof NoWorkerError)) throw error;
      [this.place, this.placeReason] = ["main", "no-worker"];
      return MainEngine.open(backend);
    }
  }

  #worker(): Worker {
    if (typeof this.wanted === "function") return this.wanted();
    try {
      // bundlers know this form and bundle the worker
      return new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    } catch (error) {
      throw new NoWorkerError(String(error));
    }
  }
}
