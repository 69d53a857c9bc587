/** The interpolation between two pictures, as a strip and as a loop. */

import type { ModelInfo } from "../../lib/index.js";
import { ClipButton } from "../clip-button.js";
import { describePoint, fileName } from "../describe.js";
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

  readonly #clip = new ClipButton(() => ({
    images: this.#images,
    perSecond: this.#loop.perSecond,
    name: this.#name,
  }));
  /** Of the loop, once all are drawn. */
  #images: readonly ImageData[] = [];
  #name = "";

  constructor(change: Change) {
    element("swap", HTMLButtonElement).addEventListener("click", () =>
      change((state) => ({ ...state, point: endOf(state), end: state.point })),
    );
  }

  show(state: State, model: ModelInfo): Gallery[] {
    const words = (point: State["point"]) => describePoint(point, model.classNames);
    this.#words.textContent =
      `From ${words(state.point)} to ${words(endOf(state))}.` +
      (state.end ? "" : " Set a picture as end B to change the end.");
    this.main.expect(way(state, model));
    this.#name = fileName(state, model.classNames).replace(/\.png$/, "");
    this.#images = [];
    this.#clip.ready = false;
    this.#loop.visible = true;
    return [this.main];
  }

  done(): void {
    const images = this.main.drawn.map((drawn) => drawn?.image);
    this.#images = images.filter((image) => image !== undefined);
    this.#loop.frames = this.#images;
    this.#clip.ready = this.#images.length > 0;
  }

  hide(): void {
    this.#loop.visible = false;
  }
}
