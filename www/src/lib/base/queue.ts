/** One task after another. */

import { abortable } from "./abort.js";

export class Queue {
  #tail: Promise<unknown> = Promise.resolve();

  /**
   * Runs a task after those before it. When the signal is aborted the promise rejects at once; a task that
   * has not begun never does, and one that runs must look at the signal itself.
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
