/** One z under the truncations of the paper's figure. */

import type { ModelInfo } from "../../lib/index.js";
import { element } from "../element.js";
import { Gallery } from "../gallery.js";
import { truncationRow, truncations } from "../scene.js";
import type { State } from "../state.js";
import type { Change, View } from "./view.js";

export class TruncationsView implements View {
  readonly main: Gallery;
  #row: readonly (number | null)[] = [];

  constructor(change: Change) {
    this.main = new Gallery(element("truncations", HTMLUListElement), {
      onChoose: (index) => {
        const truncation = this.#row[index];
        if (truncation !== undefined) change((state) => ({ ...state, truncation }));
      },
      action: (index) => `Use truncation ${this.#row[index] ?? "off"}`,
    });
  }

  show(state: State, model: ModelInfo): Gallery[] {
    this.#row = truncationRow(model);
    this.main.expect(truncations(state, model), this.#row.indexOf(state.truncation));
    return [this.main];
  }
}
