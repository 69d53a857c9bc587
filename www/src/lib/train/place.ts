/** Where a training computes: in a worker of the package, or on the main thread where the page asks for it. */

import type { Backend, Place, PlaceReason } from "../sample/api.js";
import { type Engine, FaultError, NoWorkerError, Waitlist } from "../base/engine.js";
import type { CallName, Calls } from "../base/protocol.js";
import type { TrainerOptions } from "./api.js";
import { TrainInstance } from "./instance.js";
import { WorkerEngine } from "../base/worker-engine.js";

/** Bundlers know this form and bundle the worker. */
export function startTrainWorker(): Worker {
  try {
    return new Worker(new URL("./train-worker.js", import.meta.url), { type: "module" });
  } catch (error) {
    throw new NoWorkerError(String(error));
  }
}

export class TrainStarter {
  readonly place: Place;
  readonly placeReason: PlaceReason;

  constructor(private readonly wanted: NonNullable<TrainerOptions["worker"]>) {
    this.place = wanted === "main" ? "main" : "worker";
    this.placeReason = wanted === "auto" ? "own-worker" : "asked";
  }

  async start(backend: Backend): Promise<Engine> {
    if (this.wanted === "main") return MainTrainEngine.open(backend);
    const start = typeof this.wanted === "function" ? this.wanted : startTrainWorker;
    return WorkerEngine.open(backend, start());
  }
}

/** On the main thread, which waits for each step: a page has one instance of a build, and no other after a fault. */
class MainTrainEngine implements Engine {
  readonly place = "main";
  readonly #instance = new TrainInstance();
  readonly #waitlist = new Waitlist();

  private constructor(readonly backend: Backend) {}

  static async open(backend: Backend): Promise<MainTrainEngine> {
    const engine = new MainTrainEngine(backend);
    await engine.#instance.open(backend, (fault) => engine.#waitlist.close(new FaultError(fault)));
    return engine;
  }

  get fault(): FaultError | undefined {
    return this.#waitlist.end;
  }

  // a panic leaves its promise open: the fault rejects it
  call<K extends CallName>(call: K, input: Calls[K]["in"]): Promise<Calls[K]["out"]> {
    return this.#waitlist.add((id) => {
      const { handlers } = this.#instance;
      const handler = handlers[call as keyof typeof handlers] as (input: unknown) => Promise<unknown>;
      handler(input).then(
        (value) => this.#waitlist.settle(id, { value }),
        (error) => this.#waitlist.settle(id, { error }),
      );
    });
  }

  dispose(): void {
    this.#waitlist.close(new FaultError("the engine was closed"));
  }
}
