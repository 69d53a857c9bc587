/** An engine in a worker. */

import type { Backend } from "../sample/api.js";
import { type Engine, FaultError, NoWorkerError, Waitlist } from "./engine.js";
import type { CallName, Calls, FromWorker, ToWorker } from "./protocol.js";

export class WorkerEngine implements Engine {
  readonly place = "worker";
  readonly #waitlist = new Waitlist();
  #began = false;

  private constructor(
    readonly backend: Backend,
    private readonly worker: Worker,
  ) {
    worker.addEventListener("message", (event: MessageEvent<FromWorker>) =>
      this.#receive(event.data),
    );
    worker.addEventListener("error", (event) => {
      const message = event.message || "the worker could not be loaded";
      this.#close(this.#began ? new FaultError(message) : new NoWorkerError(message));
    });
  }

  /** Opens a backend in a new worker. */
  static async open(backend: Backend, worker: Worker): Promise<WorkerEngine> {
    const engine = new WorkerEngine(backend, worker);
    try {
      await engine.call("open", { backend });
      return engine;
    } catch (error) {
      engine.dispose();
      throw error;
    }
  }

  /** A worker that opens nothing, for calls that need no program. */
  static bare(backend: Backend, worker: Worker): WorkerEngine {
    return new WorkerEngine(backend, worker);
  }

  get fault(): FaultError | undefined {
    return this.#waitlist.end;
  }

  call<K extends CallName>(call: K, input: Calls[K]["in"]): Promise<Calls[K]["out"]> {
    return this.#waitlist.add((id) => this.worker.postMessage({ id, call, input } as ToWorker));
  }

  dispose(): void {
    this.#close(new FaultError("the worker was closed"));
  }

  #receive(message: FromWorker): void {
    this.#began = true;
    if ("fault" in message) this.#close(new FaultError(message.fault));
    else if ("error" in message) {
      this.#waitlist.settle(message.id, { error: new Error(message.error) });
    } else this.#waitlist.settle(message.id, message);
  }

  #close(end: FaultError): void {
    this.worker.terminate();
    this.#waitlist.close(end);
  }
}
