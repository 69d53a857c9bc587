/** The seed: typed, random, or locked. */

import { element } from "../element.js";
import { parseSeed } from "../link.js";

/** Limit of random seeds: short enough to say aloud. */
const RANDOM_SEEDS = 1_000_000;

export class SeedControl {
  readonly #input = element("seed", HTMLInputElement);
  readonly #lock = element("lock", HTMLButtonElement);
  readonly #onChange: (seed: bigint) => void;

  constructor(onChange: (seed: bigint) => void) {
    this.#onChange = onChange;
    this.#input.addEventListener("input", () => this.#typed());
    this.#lock.addEventListener("click", () => (this.locked = !this.locked));
    element("redraw", HTMLButtonElement).addEventListener("click", () => this.redraw());
  }

  /** Whether "Sample" keeps the seed; true after it was typed or came from a link. */
  get locked(): boolean {
    return this.#lock.getAttribute("aria-pressed") === "true";
  }

  set locked(locked: boolean) {
    this.#lock.setAttribute("aria-pressed", String(locked));
  }

  redraw(): void {
    const [random = 0] = crypto.getRandomValues(new Uint32Array(1));
    this.#onChange(BigInt(random % RANDOM_SEEDS));
  }

  show(seed: bigint): void {
    const text = String(seed);
    if (document.activeElement === this.#input && this.#seed() === seed) return;
    this.#input.value = text;
    this.#input.setCustomValidity("");
  }

  #typed(): void {
    const seed = this.#seed();
    this.#input.setCustomValidity(seed === null ? "Give a whole number from 0 to 2^64 - 1." : "");
    if (seed === null) {
      this.#input.reportValidity();
      return;
    }
    this.locked = true;
    this.#onChange(seed);
  }

  #seed(): bigint | null {
    try {
      return parseSeed(this.#input.value);
    } catch {
      return null;
    }
  }
}
