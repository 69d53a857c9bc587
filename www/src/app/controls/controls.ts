/** The form: what to draw. It shows a state and requests changes. */

import type { ModelInfo } from "../../lib/index.js";
import { element } from "../element.js";
import type { Gallery } from "../gallery.js";
import { firstSample, MOST_CHIPS, mostCount, type State, withClasses, withLatent, withSample } from "../state.js";
import type { Change } from "../views/view.js";
import { ChunkSliders } from "./chunks.js";
import { ClassChips } from "./class_chips.js";
import { ClassMix } from "./class_mix.js";
import { otherSeed, SeedControl } from "./seed.js";
import { TruncationControl } from "./truncation.js";

export class Controls {
  readonly #form = element("controls", HTMLFormElement);
  readonly #count = element("count", HTMLInputElement);
  readonly #chips: ClassChips;
  readonly #classes: ClassMix;
  readonly #truncation: TruncationControl;
  readonly #seed: SeedControl;
  readonly #chunks: ChunkSliders;

  constructor(change: Change) {
    this.#chips = new ClassChips(change);
    this.#classes = new ClassMix((classes) => change((state) => withClasses(state, classes)));
    this.#truncation = new TruncationControl((truncation) => change((state) => ({ ...state, truncation })));
    this.#seed = new SeedControl((seed) => change((state) => withSample(state, { seed, index: 0 })));
    this.#chunks = new ChunkSliders((chunks) => change((state) => withLatent(state, { chunks })));
    this.#count.addEventListener("input", () => {
      const count = this.#count.valueAsNumber;
      if (this.#count.reportValidity()) change((state) => ({ ...state, count }));
    });
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      change((state) =>
        this.#seed.locked
          ? withSample(state, { index: firstSample(state) + state.count })
          : withSample(state, { seed: otherSeed(BigInt(state.point.z.seed)), index: 0 }),
      );
    });
  }

  /** Returns what is still to be drawn of the controls themselves. */
  show(state: State, model: ModelInfo): Gallery[] {
    this.#classes.show(state.point.classes, model);
    this.#truncation.show(state.truncation, model);
    this.#seed.show(BigInt(state.point.z.seed));
    this.#chunks.show(state.point.z.chunks ?? [], model);
    this.#count.max = String(mostCount(model));
    // there the truncations are what is counted, or the classes
    const counted = state.view === "samples" && state.everyClass && model.classNames.length <= MOST_CHIPS;
    this.#count.disabled = counted || state.view === "truncations";
    if (document.activeElement !== this.#count) this.#count.value = String(state.count);
    this.#form.inert = false;
    return this.#chips.show(state, model);
  }
}
