/** The form: what to draw. It shows a state and requests changes. */

import type { ModelInfo } from "../../lib/index.js";
import { element } from "../element.js";
import { DEFAULT_STATE, MAX_COUNT, type State, withLatent } from "../state.js";
import { ChunkSliders } from "./chunks.js";
import { ClassMix } from "./class_mix.js";
import { SeedControl } from "./seed.js";
import { TruncationControl } from "./truncation.js";

export interface ControlEvents {
  onChange(change: (state: State) => State): void;
  /** The same request again. */
  onRepeat(): void;
}

export class Controls {
  readonly #form = element("controls", HTMLFormElement);
  readonly #count = element("count", HTMLInputElement);
  readonly #classes: ClassMix;
  readonly #truncation: TruncationControl;
  readonly #seed: SeedControl;
  readonly #chunks: ChunkSliders;

  constructor({ onChange, onRepeat }: ControlEvents) {
    this.#classes = new ClassMix((classes) =>
      onChange((state) => ({ ...state, point: { ...state.point, classes } })),
    );
    this.#truncation = new TruncationControl((truncation) =>
      onChange((state) => ({ ...state, truncation })),
    );
    this.#seed = new SeedControl((seed) =>
      // a new seed starts at its first sample, without breeding
      onChange((state) => ({
        ...withLatent(state, { seed, index: 0, steps: [] }),
        litter: DEFAULT_STATE.litter,
      })),
    );
    this.#chunks = new ChunkSliders((chunks) => onChange((state) => withLatent(state, { chunks })));
    this.#count.addEventListener("input", () => {
      const count = this.#count.valueAsNumber;
      if (this.#count.reportValidity()) onChange((state) => ({ ...state, count }));
    });
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#seed.locked) onRepeat();
      else this.#seed.redraw();
    });
  }

  lockSeed(): void {
    this.#seed.locked = true;
  }

  show(state: State, model: ModelInfo): void {
    this.#classes.show(state.point.classes, model);
    this.#truncation.show(state.truncation, model);
    this.#seed.show(BigInt(state.point.z.seed));
    this.#chunks.show(state.point.z.chunks ?? [], model);
    this.#count.max = String(Math.min(MAX_COUNT, model.maxCount));
    if (document.activeElement !== this.#count) this.#count.value = String(state.count);
    this.#form.inert = false;
  }
}
