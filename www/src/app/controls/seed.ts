/** The seed: typed or random; locked, "New pictures" keeps it. */

import { element } from "../element.js";
import { parseSeed } from "../link.js";

/** Limit of random seeds: short enough to say aloud. */
const RANDOM_SEEDS = 1_000_000;

/** A random seed other than this. */
export function otherSeed(seed: bigint): bigint {
  const [random = 0] = crypto.getRandomValues(new Uint32Array(1));
  const other = BigInt(random % RANDOM_SEEDS);
  return other === seed ? other + 1n : other;
}

export class SeedControl {
  readonly #input = element("seed", HTMLInputElement);
  readonly #lock = element("lock", HTMLButtonElement);
  readonly #onChange: (seed: bigint) => void;

  constructor(onChange: (seed: bigint) => void) {
    this.#onChange = onChange;
    this.#input.addEventListener("input", () => this.#typed());
    this.#lock.addEventListener("click", () => this.#lock.setAttribute("aria-pressed", String(!this.locked)));
  }

  /** Only the visitor locks it. */
  get locked(): boolean {
    return this.#lock.getAttribute("aria-pressed") === "true";
  }

  show(seed: bigint): void {
    if (document.activeElement === this.#input && this.#seed() === seed) return;
    this.#input.value = String(seed);
    this.#input.setCustomValidity("");
  }

  #typed(): void {
    const seed = this.#seed();
    this.#input.setCustomValidity(seed === null ? "Give a whole number from 0 to 2^64 - 1." : "");
    if (seed === null) this.#input.reportValidity();
    else this.#onChange(seed);
  }

  #seed(): bigint | null {
    try {
      return parseSeed(this.#input.value);
    } catch {
      return null;
    }
  }
}
