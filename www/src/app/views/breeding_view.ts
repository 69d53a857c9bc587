/** Children of a picture by small random steps, and its lineage. */

import type { ModelInfo } from "../../lib/index.js";
import { element } from "../element.js";
import { Gallery } from "../gallery.js";
import { ancestorOf, childOf, children, lineage } from "../scene.js";
import { MAX_STEPS, type State } from "../state.js";
import type { Change, View } from "./view.js";

export class BreedingView implements View {
  readonly main: Gallery;
  readonly #lineage: Gallery;
  readonly #size = element("step-size", HTMLInputElement);
  readonly #sizeValue = element("step-size-value", HTMLSpanElement);
  readonly #words = element("lineage-words", HTMLParagraphElement);

  constructor(change: Change) {
    this.main = new Gallery(element("children", HTMLUListElement), {
      fitted: true,
      onChoose: (child) => change((state) => (isFull(state) ? state : childOf(state, child))),
      action: (child) => `Breed from child ${child + 1}`,
    });
    this.#lineage = new Gallery(element("lineage", HTMLOListElement), {
      onChoose: (generation) => change((state) => ancestorOf(state, generation)),
      action: (generation) => `Go back to generation ${generation}`,
    });
    this.#size.addEventListener("input", () =>
      change((state) => ({ ...state, stepSize: this.#size.valueAsNumber })),
    );
    element("other-children", HTMLButtonElement).addEventListener("click", () =>
      change((state) => ({ ...state, litter: state.litter + 1 })),
    );
  }

  show(state: State, model: ModelInfo): Gallery[] {
    const generation = (state.point.z.steps ?? []).length;
    if (document.activeElement !== this.#size) this.#size.value = String(state.stepSize);
    const { min, max } = this.#size;
    this.#size.style.setProperty("--fill", String((state.stepSize - +min) / (+max - +min)));
    this.#sizeValue.textContent = String(state.stepSize);
    this.#words.textContent = isFull(state)
      ? `The lineage has ${MAX_STEPS} steps, which is the limit: go back up to continue.`
      : generation === 0
        ? "Choose the child that you like best; it becomes the parent."
        : `Generation ${generation}. Choose an ancestor above to go back up.`;
    this.main.expect(isFull(state) ? [] : children(state, model));
    this.#lineage.expect(lineage(state, model), generation);
    return [this.#lineage, this.main];
  }
}

const isFull = (state: State) => (state.point.z.steps ?? []).length >= MAX_STEPS;
