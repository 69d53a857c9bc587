/** Children of a picture, by random steps or crosses with another, and its lineage. */

import type { ModelInfo } from "../../lib/index.js";
import { DifferSlider } from "../differ.js";
import { element } from "../element.js";
import { Gallery } from "../gallery.js";
import { countSteps } from "../points.js";
import { ancestorOf, children, childStates, lineage, mate } from "../scene.js";
import type { Sensitivity, SensitivityMeter } from "../sensitivity.js";
import { mateOf, MAX_STEPS, type State } from "../state.js";
import type { Change, View } from "./view.js";

export class BreedingView implements View {
  readonly main: Gallery;
  readonly #lineage: Gallery;
  readonly #mateList = element("mate", HTMLUListElement);
  readonly #mate = new Gallery(this.#mateList);
  readonly #words = element("lineage-words", HTMLParagraphElement);
  readonly #cross = element("cross", HTMLButtonElement);
  readonly #differField = element("differ-field", HTMLDivElement);
  readonly #differ: DifferSlider;
  readonly #complete: Change;
  readonly #meter: SensitivityMeter;
  readonly #onError: (error: unknown) => void;
  #model: ModelInfo | undefined;
  #shown: State | undefined;
  /** The size that was found for the slider's share; a link may have another, which moves the slider. */
  #found: number | null = null;

  /** `complete` adds to the state what is found out about it. */
  constructor(change: Change, complete: Change, meter: SensitivityMeter, onError: (error: unknown) => void) {
    this.#complete = complete;
    this.#meter = meter;
    this.#onError = onError;
    this.main = new Gallery(element("children", HTMLUListElement), {
      fitted: true,
      onChoose: (child) => change((state) => this.#childOf(state, child) ?? state),
      action: (child) => `Breed from child ${child + 1}`,
    });
    this.#lineage = new Gallery(element("lineage", HTMLOListElement), {
      onChoose: (generation) => change((state) => ancestorOf(state, generation)),
      action: (generation) => `Go back to generation ${generation}`,
    });
    this.#differ = new DifferSlider(() => change((state) => ({ ...state, stepSize: null })));
    this.#cross.addEventListener("click", () =>
      change((state) => ({ ...state, cross: !state.cross, litter: 0 })),
    );
    element("other-children", HTMLButtonElement).addEventListener("click", () =>
      change((state) => ({ ...state, litter: state.litter + 1 })),
    );
  }

  show(state: State, model: ModelInfo): Gallery[] {
    this.#model = model;
    this.#shown = state;
    const shots = isFull(state) ? [] : children(state, model);
    const generation = (state.point.z.steps ?? []).length;
    this.#words.textContent = wordsOf(state, shots.length);
    this.#cross.setAttribute("aria-pressed", String(state.cross));
    this.#differField.hidden = state.cross;
    this.#mateList.hidden = !state.cross;
    this.#mate.expect(state.cross ? [mate(state, model)] : []);
    this.main.expect(shots);
    this.#lineage.expect(lineage(state, model), generation);
    if (isFull(state) || isReady(state)) return [this.#lineage, this.#mate, this.main];
    this.main.busy = true;
    this.#measured(state, (sensitivity) => {
      const size = sensitivity.sizeFor(this.#differ.share);
      this.#found = size;
      this.#complete((now) => ({ ...now, stepSize: size }));
    });
    return [this.#lineage];
  }

  done(): void {
    const state = this.#shown;
    if (!state || state.stepSize === null || state.stepSize === this.#found) return;
    this.#measured(state, (sensitivity) => {
      this.#found = state.stepSize;
      this.#differ.share = sensitivity.shareOf(state.stepSize ?? 0);
    });
  }

  hide(): void {
    this.#shown = undefined;
  }

  #childOf(state: State, child: number): State | undefined {
    return this.#model && isReady(state) && !isFull(state) ? childStates(state, this.#model)[child] : undefined;
  }

  /** Measures a state's parent, unless another state is shown by then. */
  #measured(state: State, use: (sensitivity: Sensitivity) => void): void {
    const isShown = () => this.#shown === state;
    this.#meter.of(state).then(
      (sensitivity) => isShown() && use(sensitivity),
      (error: unknown) => {
        if (!isShown()) return;
        this.main.busy = false;
        this.#onError(error);
      },
    );
  }
}

/** Steps of the lineage of a child. */
const childSteps = (state: State) => countSteps(state.point) + 1 + (state.cross ? countSteps(mateOf(state)) : 0);
const isFull = (state: State) => childSteps(state) > MAX_STEPS;
/** Whether it is known which children there are. */
const isReady = (state: State) => state.cross || state.stepSize !== null;

function wordsOf(state: State, children: number): string {
  const generation = (state.point.z.steps ?? []).length;
  if (isFull(state)) {
    const mates = state.cross ? ", with those of B," : "";
    return `The lineage${mates} has ${MAX_STEPS} steps, which is the limit: go back up to continue.`;
  }
  if (state.cross && children === 0) return "Both parents are the same picture: choose another, or clear end B.";
  if (state.cross) {
    const mate = state.end ? "B" : "B, the next sample";
    return `Children of the picture and ${mate}: each part is from one of them. Choose one; it becomes the parent.`;
  }
  return generation === 0
    ? "Choose the child that you like best; it becomes the parent."
    : `Generation ${generation}. Choose an ancestor above to go back up.`;
}
