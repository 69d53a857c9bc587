/** What the visitor asks for. */

import type { ModelInfo, SampleRequest } from "../lib/index.js";
import { element } from "./element.js";

/** Seeds that a visitor is given: short enough to say aloud. */
const RANDOM_SEEDS = 1_000_000;

export class Controls {
  readonly #class = element("class", HTMLSelectElement);
  readonly #truncation = element("truncation", HTMLInputElement);
  readonly #truncationValue = element("truncation-value", HTMLSpanElement);
  readonly #off = element("truncation-off", HTMLInputElement);
  readonly #seed = element("seed", HTMLInputElement);
  readonly #count = element("count", HTMLInputElement);
  readonly #onChange: () => void;

  constructor(info: ModelInfo, onChange: () => void) {
    this.#onChange = onChange;
    this.#class.replaceChildren(
      ...info.classNames.map((name, index) => new Option(name, String(index))),
    );
    if (info.truncationRange === null) {
      this.#off.checked = true;
      this.#off.disabled = true;
    } else {
      const [, largest] = info.truncationRange;
      this.#truncation.max = String(Math.min(Number(this.#truncation.max), largest));
    }
    const form = element("controls", HTMLFormElement);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", () => this.#changed());
    element("redraw", HTMLButtonElement).addEventListener("click", () => {
      const random = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
      this.#seed.value = String(random % RANDOM_SEEDS);
      this.#changed();
    });
    this.#showTruncation();
    form.inert = false;
  }

  /** The request, or null while a field holds nothing that can be asked for. */
  request(): SampleRequest | null {
    if (!this.#seed.reportValidity() || !this.#count.reportValidity()) return null;
    return {
      classIndex: this.#class.selectedIndex,
      seed: BigInt(this.#seed.value),
      truncation: this.#off.checked ? null : this.#truncation.valueAsNumber,
      count: this.#count.valueAsNumber,
    };
  }

  #changed(): void {
    this.#showTruncation();
    this.#onChange();
  }

  #showTruncation(): void {
    const off = this.#off.checked;
    this.#truncation.disabled = off;
    const text = off ? "off" : this.#truncation.valueAsNumber.toFixed(2);
    this.#truncationValue.textContent = text;
    this.#truncation.setAttribute("aria-valuetext", text);
  }
}
