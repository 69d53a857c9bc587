/** The element's content: pictures, a poster before them, progress, an error, and controls. */

import type { Sample } from "../sample/api.js";
import { styleSheets } from "./style.js";

export interface Handlers {
  another(): void;
  save(): void;
}

export class View {
  readonly #grid = part("div", "grid", { role: "list", "aria-label": "Samples" });
  readonly #poster = part("div", "poster", {});
  readonly #loading = part("div", "loading", { role: "status" });
  readonly #progress = part("progress", "progress", { "aria-label": "Loading the model" });
  readonly #error = part("p", "error", { role: "alert" });
  readonly #controls = part("div", "controls", { role: "group", "aria-label": "Pictures" });

  readonly #save: HTMLButtonElement;

  constructor(
    private readonly root: ShadowRoot,
    handlers: Handlers,
  ) {
    this.#poster.append(slot("poster"));
    this.#loading.append(slot("loading", this.#progress));
    this.#save = button("Save PNG", () => handlers.save());
    this.#save.disabled = true;
    this.#controls.append(
      button("New seed", () => handlers.another()),
      this.#save,
    );
    this.#error.hidden = true;
    this.#controls.hidden = true;
    this.#loading.hidden = true;
    root.append(this.#poster, this.#loading, this.#error, this.#grid, this.#controls);
  }

  /** Puts the style on, of the document in which the element is now. */
  dress(): void {
    this.root.adoptedStyleSheets = styleSheets(this.root.ownerDocument);
  }

  set controls(shown: boolean) {
    this.#controls.hidden = !shown;
  }

  /** Loading or drawing; the previous pictures stay. */
  busy(): void {
    this.#grid.setAttribute("aria-busy", "true");
    this.#error.hidden = true;
    this.#loading.hidden = this.#grid.childElementCount > 0;
  }

  progress(received: number, total: number | null): void {
    if (total) this.#progress.value = received / total;
    else this.#progress.removeAttribute("value");
  }

  samples(samples: Sample[], label: (sample: Sample) => string): void {
    this.#idle();
    this.#poster.hidden = true;
    this.#save.disabled = false;
    this.#grid.replaceChildren(
      ...samples.map((sample) => {
        const { image } = sample;
        const item = part("div", "item", { role: "listitem" });
        const canvas = part("canvas", "image", { role: "img", "aria-label": label(sample) });
        canvas.width = image.width;
        canvas.height = image.height;
        canvas.getContext("2d")?.putImageData(image, 0, 0);
        item.append(canvas);
        return item;
      }),
    );
  }

  /** Without pictures. */
  empty(): void {
    this.#idle();
    this.#grid.replaceChildren();
    this.#poster.hidden = false;
    this.#save.disabled = true;
  }

  error(message: string): void {
    this.#idle();
    this.#error.textContent = message;
    this.#error.hidden = false;
  }

  #idle(): void {
    this.#grid.setAttribute("aria-busy", "false");
    this.#error.hidden = true;
    this.#loading.hidden = true;
  }
}

function part<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  name: string,
  attributes: Record<string, string>,
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries({ part: name, ...attributes })) {
    made.setAttribute(key, value);
  }
  return made;
}

function slot(name: string, ...otherwise: Node[]): HTMLSlotElement {
  const made = document.createElement("slot");
  made.name = name;
  made.append(...otherwise);
  return made;
}

function button(text: string, action: () => void): HTMLButtonElement {
  const made = part("button", "button", { type: "button" });
  made.textContent = text;
  made.addEventListener("click", action);
  return made;
}
