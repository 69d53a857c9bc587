/** An engine in a worker. */

import type { Backend } from "./api.js";
import { Engine, FaultError, NoWorkerError } from "./engine.js";
import { errorOf } from "./errors.js";
import type { FromWorker, ToWorker } from "./protocol.js";

export class WorkerEngine<C> extends Engine<C> {
  readonly place = "worker";
  #began = false;

  /** A worker without an engine, for calls that need no program. */
  constructor(private readonly worker: Worker) {
    super();
    worker.addEventListener("message", ({ data }: MessageEvent<FromWorker>) => this.#receive(data));
    worker.addEventListener("error", (event) => {
      const message = event.message || "the worker could not be loaded";
      this.close(this.#began ? new FaultError(message) : new NoWorkerError(message));
    });
  }

  /** Opens a backend in a new worker. */
  static async open<C>(backend: Backend, worker: Worker): Promise<WorkerEngine<C>> {
    const engine = new WorkerEngine<C>(worker);
    try {
      await engine.ask("open", backend);
      return engine;
    } catch (error) {
      engine.dispose();
      throw error;
    }
  }

  override close(end: FaultError): void {
    this.worker.terminate();
    super.close(end);
  }

  protected override send(id: number, call: string, input: unknown): void {
    this.worker.postMessage({ id, call, input } satisfies ToWorker);
  }

  #receive(message: FromWorker): void {
    this.#began = true;
    if ("fault" in message) this.close(new FaultError(message.fault));
    else if ("error" in message) this.settle(message.id, { error: errorOf(message.error) });
    else this.settle(message.id, message);
  }
}
