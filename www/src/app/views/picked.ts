/** The chosen picture, which the views start from, and the pinned one. */

import type { ModelInfo } from "../../lib/index.js";
import { element } from "../element.js";
import { Gallery } from "../gallery.js";
import { picked } from "../scene.js";
import type { State } from "../state.js";
import type { Change } from "./view.js";

export class Picked {
  readonly #gallery = new Gallery(element("picked", HTMLUListElement));
  readonly #words = element("picked-words", HTMLParagraphElement);
  readonly #unpin = element("unpin", HTMLButtonElement);

  constructor(change: Change) {
    element("pin", HTMLButtonElement).addEventListener("click", () =>
      change((state) => ({ ...state, end: state.point })),
    );
    this.#unpin.addEventListener("click", () => change((state) => ({ ...state, end: null })));
  }

  show(state: State, model: ModelInfo): Gallery {
    const [chosen, ...pinned] = picked(state, model);
    const caption = (text: string) => (shot: typeof chosen) => shot && { ...shot, caption: text };
    const shots = [caption("chosen")(chosen), ...pinned.map(caption("pinned"))];
    this.#gallery.expect(shots.filter((shot) => shot !== undefined));
    const steps = state.point.z.steps?.length ?? 0;
    const bred = steps === 0 ? "" : `, ${steps} ${steps === 1 ? "step" : "steps"} bred`;
    this.#words.textContent =
      `Sample ${(state.point.z.index ?? 0) + 1}${bred} is chosen. ` +
      (state.end
        ? "Between goes from it to the pinned one."
        : "Pin it and choose another to go between two.");
    this.#unpin.hidden = state.end === null;
    return this.#gallery;
  }
}
