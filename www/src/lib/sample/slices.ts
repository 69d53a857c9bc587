/** How many pictures to compute at once. */

import type { Drawn } from "./protocol.js";

/** The core computes this many pixels together. */
const MOST_PIXELS = 64 * 32 * 32;

/**
 * Learns how long a picture takes, and cuts a request into slices: after each slice an abort is noticed, and on
 * the main thread control returns to the page.
 */
export class Slices {
  #msEach: number | undefined;
  #side = 0;

  /** Number of pictures for about this many milliseconds: a power of two, since a GPU prepares for each new size. */
  next(targetMs: number): number {
    if (this.#msEach === undefined) return 1;
    const most = Math.max(1, MOST_PIXELS / this.#side ** 2);
    const fitting = Math.min(most, Math.max(1, targetMs / this.#msEach));
    return 2 ** Math.floor(Math.log2(fitting));
  }

  learn(pictures: number, { side, elapsedMs }: Drawn): void {
    this.#msEach = Math.max(elapsedMs / pictures, 0.01);
    this.#side = side;
  }
}
