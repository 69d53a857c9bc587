/** Classes as chips with a picture each, where they are few enough to be seen at once; and one chip for all of them. */

import type { ModelInfo } from "../../lib/index.js";
import { element } from "../element.js";
import { Gallery } from "../gallery.js";
import { thumbnails } from "../scene.js";
import { MOST_CHIPS, type State, withClasses } from "../state.js";
import type { Change } from "../views/view.js";

export class ClassChips {
  readonly #group = element("chips", HTMLDivElement);
  readonly #every = element("every-class", HTMLButtonElement);
  readonly #gallery: Gallery;
  #model: ModelInfo | undefined;

  constructor(change: Change) {
    this.#every.addEventListener("click", () =>
      change((state) => ({ ...state, everyClass: true, view: "samples" })),
    );
    this.#gallery = new Gallery(element("class-chips", HTMLUListElement), {
      onChoose: (index) => change((state) => withClasses(state, [{ class: index, weight: 1 }])),
      action: (index) => this.#model?.classNames[index] ?? "",
    });
  }

  /** Returns what is still to be drawn. */
  show({ everyClass, view, point }: State, model: ModelInfo): Gallery[] {
    if (model !== this.#model) {
      this.#model = model;
      const all = model.classNames.length;
      this.#group.hidden = all < 2;
      this.#gallery.expect(all < 2 || all > MOST_CHIPS ? [] : thumbnails(model));
    }
    const overview = everyClass && view === "samples";
    this.#every.setAttribute("aria-pressed", String(overview));
    const [only] = point.classes;
    const pressed = overview || point.classes.length > 1 ? undefined : only?.class;
    if (pressed !== this.#gallery.pressed) {
      this.#gallery.pressed = pressed;
      this.#reveal(pressed);
    }
    return this.#gallery.drawn.includes(undefined) ? [this.#gallery] : [];
  }

  /** Where the chips are one line, it scrolls to the chosen one. */
  #reveal(index: number | undefined): void {
    const chip = index === undefined ? this.#every : this.#group.querySelectorAll("li")[index];
    if (!chip) return;
    const [at, line] = [chip.getBoundingClientRect(), this.#group.getBoundingClientRect()];
    this.#group.scrollLeft += (at.left + at.right - line.left - line.right) / 2;
  }
}
