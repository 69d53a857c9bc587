/** A queue that runs one task at a time. */

import { abortable } from "./abort.js";

export class Queue {
  #tail: Promise<unknown> = Promise.resolve();

  /**
   * Runs a task after the earlier ones. When the signal is aborted the promise rejects at once; a task that
   * has not started never does, and a running task must check the signal itself.
   */
  run<T>(task: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const turn = this.#tail.then(() => {
      signal.throwIfAborted();
      return task();
    });
    this.#tail = turn.catch(() => {});
    return abortable(turn, signal);
  }
}
