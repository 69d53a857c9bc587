/** The engine as seen from the page: each call is a promise. */

import type { Place } from "./api.js";

/** The engine broke: the GPU was lost, a shader failed, or the program panicked. */
export class FaultError extends Error {
  override name = "FaultError";
}

/** The worker never started: it could not be loaded, or the page's policy forbids it. */
export class NoWorkerError extends FaultError {
  override name = "NoWorkerError";
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

export abstract class Engine<C> {
  abstract readonly place: Place;
  /** Calls an operation of its side. */
  readonly calls = new Proxy({}, { get: (_, call) => (input: unknown) => this.ask(String(call), input) }) as C;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 0;
  #fault: FaultError | undefined;

  /** Why it can no longer be used, once it has broken or been closed. */
  get fault(): FaultError | undefined {
    return this.#fault;
  }

  /** Ends it and rejects pending calls. */
  dispose(): void {
    this.close(new FaultError("the engine was closed"));
  }

  protected abstract send(id: number, call: string, input: unknown): void;

  protected ask(call: string, input: unknown): Promise<unknown> {
    if (this.#fault) return Promise.reject(this.#fault);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.send(id, call, input);
    });
  }

  protected settle(id: number, answer: { value: unknown } | { error: unknown }): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if ("error" in answer) waiting?.reject(answer.error);
    else waiting?.resolve(answer.value);
  }

  /** Rejects all calls, pending and future. The first reason stays. */
  close(end: FaultError): void {
    this.#fault ??= end;
    for (const { reject } of this.#waiting.values()) reject(this.#fault);
    this.#waiting.clear();
  }
}
