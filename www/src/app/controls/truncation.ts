/** The truncation slider, with marks where the model has its own statistics. */

import type { ModelInfo, Truncation, TruncationKind } from "../../lib/index.js";
import { element } from "../element.js";
import { showFill } from "../slider.js";

/** Pictures change visibly up to here, if the model has no statistics further on. */
const USUAL_MOST = 2;
/** The slider's value when truncation is switched on again. */
const USUAL = 1;

const MEANINGS: Record<TruncationKind, string> = {
  resampling: "each coordinate of z is at most this large",
  scaled_truncated_normal: "the scale of z, a normal truncated at 2",
  scaled_normal: "the standard deviation of z",
};

export class TruncationControl {
  readonly #slider = element("truncation", HTMLInputElement);
  readonly #value = element("truncation-value", HTMLSpanElement);
  readonly #off = element("truncation-off", HTMLInputElement);
  readonly #ticks = element("truncation-ticks", HTMLDivElement);
  readonly #meaning = element("truncation-meaning", HTMLParagraphElement);
  #model: ModelInfo | undefined;

  constructor(onChange: (truncation: Truncation) => void) {
    this.#slider.addEventListener("input", () => onChange(this.#slider.valueAsNumber));
    this.#off.addEventListener("change", () =>
      onChange(this.#off.checked ? null : this.#slider.valueAsNumber),
    );
  }

  show(truncation: Truncation, model: ModelInfo): void {
    if (model !== this.#model) this.#fit(model);
    this.#model = model;
    this.#off.checked = truncation === null;
    this.#slider.disabled = truncation === null;
    if (truncation !== null && truncation !== this.#slider.valueAsNumber) {
      // a link may ask for more than the slider's usual end
      this.#slider.max = String(Math.max(Number(this.#slider.max), truncation));
      this.#slider.value = String(truncation);
    }
    showFill(this.#slider);
    const text = truncation === null ? "off" : String(truncation);
    this.#value.textContent = text;
    this.#slider.setAttribute("aria-valuetext", text);
  }

  #fit({ truncationRange, truncations, truncationKind }: ModelInfo): void {
    this.#off.disabled = truncationRange === null;
    const own = truncations.filter((t): t is number => t !== null && t > 0);
    const [, most] = truncationRange ?? [0, USUAL_MOST];
    const end = Math.min(most, Math.max(USUAL_MOST, ...own));
    this.#slider.max = String(end);
    this.#slider.value = String(Math.min(USUAL, end));
    const least = Number(this.#slider.min);
    this.#ticks.replaceChildren(
      ...own.map((t) => {
        const tick = document.createElement("span");
        tick.style.setProperty("--at", String((t - least) / (end - least)));
        return tick;
      }),
    );
    const marks = own.length > 0 ? " Marks: truncations with their own statistics." : "";
    this.#meaning.textContent =
      truncationRange === null
        ? "The latents of this model cannot be truncated."
        : `From typical to varied: ${MEANINGS[truncationKind]}.${marks}`;
  }
}
