/** A worker, seen from the page: each request is a promise. */

import type { Backend, CallName, Calls, FromWorker, ToWorker } from "./protocol.js";

/** The worker broke: the GPU was lost, a shader failed, or the program panicked. */
export class FaultError extends Error {
  override name = "FaultError";
}

interface Waiting {
  resolve(value: never): void;
  reject(error: Error): void;
}

export class EngineClient {
  readonly backend: Backend;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 0;
  #end: Error | undefined;

  private constructor(backend: Backend) {
    this.backend = backend;
    this.#worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    this.#worker.addEventListener("message", (event: MessageEvent<FromWorker>) =>
      this.#receive(event.data),
    );
    this.#worker.addEventListener("error", (event) =>
      this.#close(new FaultError(event.message || "the worker could not be loaded")),
    );
  }

  /** Starts a worker and opens a backend in it. */
  static async open(backend: Backend): Promise<EngineClient> {
    const engine = new EngineClient(backend);
    try {
      await engine.call("open", { backend });
      return engine;
    } catch (error) {
      engine.dispose();
      throw error;
    }
  }

  call<K extends CallName>(call: K, input: Calls[K]["in"]): Promise<Calls[K]["out"]> {
    if (this.#end) return Promise.reject(this.#end);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, call, input } as ToWorker);
    });
  }

  /** Ends the worker; what waits for it is rejected. */
  dispose(): void {
    this.#close(new Error("the worker was closed"));
  }

  #receive(message: FromWorker): void {
    if ("fault" in message) {
      this.#close(new FaultError(message.fault));
      return;
    }
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if ("error" in message) waiting?.reject(new Error(message.error));
    else waiting?.resolve(message.value as never);
  }

  #close(end: Error): void {
    this.#end ??= end;
    this.#worker.terminate();
    for (const { reject } of this.#waiting.values()) reject(this.#end);
    this.#waiting.clear();
  }
}
