/** The slider for how much children differ from their parent. */

import { element } from "./element.js";
import { showFill } from "./slider.js";

/** Shares of the distance between strangers, in words: each up to the next. */
const WORDS: [number, string][] = [
  [0, "a little"],
  [0.35, "visibly"],
  [0.6, "much"],
  [0.85, "a lot"],
];

export class DifferSlider {
  readonly #slider = element("differ", HTMLInputElement);
  readonly #value = element("differ-value", HTMLSpanElement);

  constructor(onChange: () => void) {
    this.#slider.addEventListener("input", () => {
      this.#show();
      onChange();
    });
    this.#show();
  }

  get share(): number {
    return this.#slider.valueAsNumber;
  }

  set share(share: number) {
    this.#slider.value = String(share);
    this.#show();
  }

  #show(): void {
    const word = WORDS.findLast(([from]) => this.share >= from)?.[1] ?? "";
    this.#value.textContent = word;
    this.#slider.setAttribute("aria-valuetext", word);
    showFill(this.#slider);
  }
}
