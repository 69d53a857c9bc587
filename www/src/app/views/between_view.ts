/** The interpolation between two pictures, as a strip and as a loop. */

import type { ModelInfo } from "../../lib/index.js";
import { describe } from "../describe.js";
import { element } from "../element.js";
import { Gallery } from "../gallery.js";
import { Loop } from "../loop.js";
import { way } from "../scene.js";
import { endOf, type State } from "../state.js";
import type { Change, View } from "./view.js";

export class BetweenView implements View {
  readonly main = new Gallery(element("way", HTMLOListElement));
  readonly #loop = new Loop();
  readonly #words = element("way-words", HTMLParagraphElement);

  constructor(change: Change) {
    element("swap", HTMLButtonElement).addEventListener("click", () =>
      change((state) => ({ ...state, point: endOf(state), end: state.point })),
    );
  }

  show(state: State, model: ModelInfo): Gallery[] {
    const words = (point: State["point"]) => {
      const [text = ""] = describe(point, state.truncation, model.classNames).split(", truncation");
      return `${text}, sample ${(point.z.index ?? 0) + 1}`;
    };
    this.#words.textContent =
      `From ${words(state.point)} to ${words(endOf(state))}.` +
      (state.end ? "" : " Set a picture as end B to change the end.");
    this.main.expect(way(state, model));
    this.#loop.visible = true;
    return [this.main];
  }

  done(): void {
    const images = this.main.drawn.map((drawn) => drawn?.image);
    this.#loop.frames = images.filter((image) => image !== undefined);
  }

  hide(): void {
    this.#loop.visible = false;
  }
}
