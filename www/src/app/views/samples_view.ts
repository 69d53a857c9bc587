/** The samples of a seed, of each class or of one; one of them is selected. */

import type { ModelInfo } from "../../lib/index.js";
import { element } from "../element.js";
import { Gallery } from "../gallery.js";
import { overview, samples, sampleStates } from "../scene.js";
import { firstSample, type State } from "../state.js";
import type { Change, View } from "./view.js";

export class SamplesView implements View {
  readonly main: Gallery;
  #model: ModelInfo | undefined;

  constructor(change: Change) {
    this.main = new Gallery(element("samples", HTMLUListElement), {
      fitted: true,
      // a picture of the overview leads to its class
      onChoose: (place) => change((state) => (this.#model && sampleStates(state, this.#model)[place]) ?? state),
      action: (place) => `Choose picture ${place + 1}`,
    });
  }

  show(state: State, model: ModelInfo): Gallery[] {
    this.#model = model;
    const { classes, z } = state.point;
    const { steps = [], index = 0 } = z;
    const place = state.everyClass
      ? classes.length === 1 ? overview(state, model).indexOf(classes[0]?.class ?? 0) : -1
      : index - firstSample(state);
    // a bred picture is not among these
    this.main.expect(samples(state, model), steps.length === 0 && place >= 0 ? place : undefined);
    return [this.main];
  }
}
