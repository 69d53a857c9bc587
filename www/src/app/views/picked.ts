/** The selected picture, which the views start from, and end B of the interpolation. */

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

  /** The selected picture, once it is drawn. */
  get image(): ImageData | undefined {
    return this.#gallery.drawn[0]?.image;
  }

  show(state: State, model: ModelInfo): Gallery {
    const [start, ...end] = picked(state, model);
    const caption = (text: string) => (shot: typeof start) => shot && { ...shot, caption: text };
    const shots = [caption("A")(start), ...end.map(caption("B"))];
    this.#gallery.expect(shots.filter((shot) => shot !== undefined));
    const steps = state.point.z.steps?.length ?? 0;
    const bred = steps === 0 ? "" : `, ${steps} ${steps === 1 ? "step" : "steps"} bred`;
    this.#words.textContent =
      `Sample ${(state.point.z.index ?? 0) + 1}${bred} is selected. ` +
      (state.end
        ? "Between interpolates from it to end B."
        : "Set it as end B, then choose another to interpolate.");
    this.#unpin.hidden = state.end === null;
    return this.#gallery;
  }
}
