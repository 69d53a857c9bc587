/** The samples of a seed; one of them is selected. */

import type { ModelInfo } from "../../lib/index.js";
import { element } from "../element.js";
import { Gallery } from "../gallery.js";
import { samples } from "../scene.js";
import { DEFAULT_STATE, type State, withLatent } from "../state.js";
import type { Change, View } from "./view.js";

export class SamplesView implements View {
  readonly main: Gallery;

  constructor(change: Change) {
    this.main = new Gallery(element("samples", HTMLUListElement), {
      fitted: true,
      onChoose: (index) =>
        change((state) => ({
          ...withLatent(state, { index, steps: [] }),
          litter: DEFAULT_STATE.litter,
        })),
      action: (index) => `Choose picture ${index + 1}`,
    });
  }

  show(state: State, model: ModelInfo): Gallery[] {
    const { steps = [], index = 0 } = state.point.z;
    // a bred picture is not among these
    this.main.expect(samples(state, model), steps.length === 0 ? index : undefined);
    return [this.main];
  }
}
