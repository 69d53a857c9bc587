/** A list of places for pictures, filled as the pictures arrive. */

import { gridFor } from "./columns.js";
import type { Drawn } from "./drawn.js";
import type { Shot } from "./scene.js";

export interface GalleryOptions {
  /** Makes each picture a button. */
  onChoose?: (index: number) => void;
  /** What a picture's button does, for screen readers. */
  action?: (index: number) => string;
  /** Fits the grid to its frame, the parent; else the style sheet places the pictures. */
  fitted?: boolean;
}

/** A picture in a place. */
export interface Filling {
  index: number;
  shot: Shot;
  drawn: Drawn;
}

/** Pictures up to this side are shown with hard pixel edges, which larger ones are too little enlarged for: they are smoothed. */
export const MOST_ENLARGED = 32;

export class Gallery {
  readonly #list: HTMLElement;
  readonly #options: GalleryOptions;
  #shots: Shot[] = [];
  #drawn: (Drawn | undefined)[] = [];
  #pressed: number | undefined;
  #columns = Infinity;

  constructor(list: HTMLElement, options: GalleryOptions = {}) {
    this.#list = list;
    this.#options = options;
    if (options.onChoose) list.addEventListener("keydown", (event) => this.#move(event));
    if (options.fitted && list.parentElement) {
      new ResizeObserver(() => this.#layOut()).observe(list.parentElement);
    }
  }

  get shots(): readonly Shot[] {
    return this.#shots;
  }

  /** The pictures of the shots, as far as they are ready. */
  get drawn(): readonly (Drawn | undefined)[] {
    return this.#drawn;
  }

  set busy(busy: boolean) {
    this.#list.setAttribute("aria-busy", String(busy));
  }

  /** Empty places, until a model is loaded. */
  reserve(count: number): void {
    this.#setPlaces(count);
    this.#layOut();
  }

  /** Sets what to show. Places keep their old pictures until new ones arrive, so that nothing flickers. */
  expect(shots: Shot[], pressed?: number): void {
    this.#shots = shots;
    this.#drawn = shots.map(() => undefined);
    this.#setPlaces(shots.length);
    this.#places.forEach((place, index) => this.#showCaption(place, index));
    this.pressed = pressed;
    this.#layOut();
  }

  /** The picture that is marked as chosen. */
  get pressed(): number | undefined {
    return this.#pressed;
  }

  set pressed(pressed: number | undefined) {
    this.#pressed = pressed;
    this.#showPressed();
  }

  /** Shows some pictures; those of shots no longer expected are ignored. */
  async fill(pictures: readonly Filling[]): Promise<void> {
    const images = await Promise.all(
      pictures.map(async ({ shot, drawn }) => {
        const image = new Image(drawn.image.width, drawn.image.height);
        image.src = drawn.address;
        image.alt = shot.alt;
        image.decoding = "sync";
        image.classList.toggle("enlarged", drawn.image.width <= MOST_ENLARGED);
        // a picture dropped from the cache meanwhile is no longer wanted
        await image.decode().catch(() => {});
        return image;
      }),
    );
    pictures.forEach(({ index, shot, drawn }, at) => {
      const [place, image] = [this.#places[index], images[at]];
      if (this.#shots[index] !== shot || !place || !image) return;
      this.#drawn[index] = drawn;
      const old = place.querySelector("img");
      if (old) old.replaceWith(image);
      else place.prepend(image);
    });
  }

  get #places(): HTMLElement[] {
    return Array.from(this.#list.children) as HTMLElement[];
  }

  #setPlaces(count: number): void {
    const list = this.#list;
    while (list.children.length > count) list.lastElementChild?.remove();
    while (list.children.length < count) {
      const place = document.createElement("li");
      if (this.#options.onChoose) place.append(this.#button(list.children.length));
      list.append(place);
    }
  }

  #button(index: number): HTMLButtonElement {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "choose";
    button.addEventListener("click", () => this.#options.onChoose?.(index));
    return button;
  }

  #showCaption(place: HTMLElement, index: number): void {
    const text = this.#shots[index]?.caption;
    let caption = place.querySelector("span");
    if (text === undefined) caption?.remove();
    else {
      if (!caption) place.append((caption = document.createElement("span")));
      caption.textContent = text;
    }
  }

  /** One picture of the list is in the tab order; arrow keys move to the others. */
  #showPressed(): void {
    const entry = this.#pressed ?? 0;
    this.#places.forEach((place, index) => {
      const button = place.querySelector("button");
      if (!button) return;
      button.setAttribute("aria-label", this.#options.action?.(index) ?? `Choose ${index + 1}`);
      button.setAttribute("aria-pressed", String(index === this.#pressed));
      if (button !== document.activeElement) button.tabIndex = -1;
      if (index === entry && !this.#list.contains(document.activeElement)) button.tabIndex = 0;
    });
    const reachable = this.#places.some((place) => place.querySelector("button")?.tabIndex === 0);
    const first = this.#places[0]?.querySelector("button");
    if (!reachable && first) first.tabIndex = 0;
  }

  #move(event: KeyboardEvent): void {
    const buttons = this.#places.map((place) => place.querySelector("button"));
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    const to: Record<string, number> = {
      ArrowLeft: at - 1,
      ArrowRight: at + 1,
      ArrowUp: at - this.#columns,
      ArrowDown: at + this.#columns,
      Home: 0,
      End: buttons.length - 1,
    };
    const target = buttons[to[event.key] ?? -1];
    if (at < 0 || !target) return;
    event.preventDefault();
    for (const button of buttons) if (button) button.tabIndex = -1;
    target.tabIndex = 0;
    target.focus();
  }

  #layOut(): void {
    const count = this.#list.children.length;
    if (!this.#options.fitted || count === 0) return;
    const frame = this.#list.parentElement;
    if (!frame || frame.clientWidth === 0) return;
    const padding = getComputedStyle(frame);
    const width = frame.clientWidth - parseFloat(padding.paddingLeft) - parseFloat(padding.paddingRight);
    const height = frame.clientHeight - parseFloat(padding.paddingTop) - parseFloat(padding.paddingBottom);
    const gap = parseFloat(getComputedStyle(this.#list).columnGap) || 0;
    const { columns, side } = gridFor(count, width, height, gap);
    this.#columns = columns;
    this.#list.style.setProperty("--columns", String(columns));
    this.#list.style.setProperty("--side", `${Math.floor(side)}px`);
  }
}
