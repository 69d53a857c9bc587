/** What computes, seen from the page: each request is a promise. */

import type { Backend, Place } from "../sample/api.js";
import type { CallName, Calls } from "./protocol.js";

export interface Engine {
  readonly backend: Backend;
  readonly place: Place;
  /** Why it cannot be used any more, once it broke or was closed. */
  readonly fault: FaultError | undefined;
  call<K extends CallName>(call: K, input: Calls[K]["in"]): Promise<Calls[K]["out"]>;
  /** Ends it; what waits for it is rejected. */
  dispose(): void;
}

/** The engine broke: the GPU was lost, a shader failed, or the program panicked. */
export class FaultError extends Error {
  override name = "FaultError";
}

/** The worker never began: it could not be loaded, or the page's policy forbids it. */
export class NoWorkerError extends FaultError {
  override name = "NoWorkerError";
}

interface Waiting {
  resolve(value: never): void;
  reject(error: Error): void;
}

/** Promises of answers that are still to come. */
export class Waitlist {
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 0;
  #end: FaultError | undefined;

  get end(): FaultError | undefined {
    return this.#end;
  }

  add<T>(ask: (id: number) => void): Promise<T> {
    if (this.#end) return Promise.reject(this.#end);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      ask(id);
    });
  }

  settle(id: number, answer: { value: unknown } | { error: unknown }): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if ("error" in answer) waiting?.reject(answer.error as Error);
    else waiting?.resolve(answer.value as never);
  }

  /** Rejects everything, now and later. The first end stays. */
  close(end: FaultError): void {
    this.#end ??= end;
    for (const { reject } of this.#waiting.values()) reject(this.#end);
    this.#waiting.clear();
  }
}
