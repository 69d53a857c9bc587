/** A slider for each chunk of a hierarchical z, from the layout of a picture to its texture. */

import type { ModelInfo } from "../../lib/index.js";
import { element } from "../element.js";

/** Names of the chunks between the first and the last. */
const BETWEEN = ["Shape", "Parts", "Detail", "Fine detail"];
/** Side of the map that the first chunk lays out (BigGAN, appendix B). */
const FIRST_SIDE = 4;

/** Names of all chunks, each with the side of the maps that it works on. */
function chunkNames(chunks: number): { name: string; side: number }[] {
  const last = chunks - 1;
  const between = BETWEEN.slice(0, Math.max(0, last - 1));
  // skips middle names: a model with few chunks has shape and detail
  if (last === 3) between.splice(1, 1, "Detail");
  return Array.from({ length: chunks }, (_, index) => ({
    name:
      index === 0 ? "Layout" : index === last ? "Texture" : (between[index - 1] ?? `Chunk ${index + 1}`),
    side: FIRST_SIDE * 2 ** index,
  }));
}

export class ChunkSliders {
  readonly #fieldset = element("chunks", HTMLFieldSetElement);
  readonly #rows = element("chunk-rows", HTMLDivElement);
  readonly #reset = element("reset-chunks", HTMLButtonElement);
  readonly #onChange: (turns: number[]) => void;
  #sliders: HTMLInputElement[] = [];
  #values: HTMLSpanElement[] = [];

  constructor(onChange: (turns: number[]) => void) {
    this.#onChange = onChange;
    this.#reset.addEventListener("click", () => onChange([]));
  }

  show(turns: readonly number[], model: ModelInfo): void {
    if (this.#sliders.length !== model.chunks) this.#make(model.chunks);
    this.#sliders.forEach((slider, index) => {
      const turn = turns[index] ?? 0;
      if (slider.valueAsNumber !== turn) slider.value = String(turn);
      slider.style.setProperty("--from", String(Math.min(0.5, (turn + 1) / 2)));
      slider.style.setProperty("--to", String(Math.max(0.5, (turn + 1) / 2)));
      const value = this.#values[index];
      if (value) value.textContent = turn > 0 ? `+${turn}` : String(turn).replace("-", "−");
    });
    this.#reset.disabled = turns.every((turn) => turn === 0);
  }

  #make(chunks: number): void {
    const names = chunks === 1 ? [{ name: "Turn", side: 0 }] : chunkNames(chunks);
    this.#values = names.map(() => document.createElement("span"));
    this.#sliders = names.map(() => document.createElement("input"));
    const rows = names.map(({ name, side }, index) => {
      const [slider, value] = [this.#sliders[index], this.#values[index]];
      if (!slider || !value) return "";
      slider.type = "range";
      slider.id = `chunk-${index}`;
      slider.className = "centred";
      slider.min = "-1";
      slider.max = "1";
      slider.step = "0.01";
      slider.value = "0";
      slider.addEventListener("input", () =>
        this.#onChange(this.#sliders.map((one) => one.valueAsNumber)),
      );
      const label = document.createElement("label");
      label.htmlFor = slider.id;
      label.textContent = name;
      if (side > 0) {
        const size = document.createElement("span");
        size.className = "quiet";
        size.textContent = ` ${side}×${side}`;
        label.append(size);
      }
      value.className = "value";
      value.setAttribute("aria-hidden", "true");
      const row = document.createElement("div");
      row.className = "chunk";
      row.append(label, value, slider);
      return row;
    });
    this.#rows.replaceChildren(...rows);
    this.#fieldset.hidden = false;
  }
}
