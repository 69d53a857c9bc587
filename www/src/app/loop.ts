/** Frames that play forwards and backwards. */

import { element } from "./element.js";
import { MOST_ENLARGED } from "./gallery.js";

export class Loop {
  readonly #canvas = element("loop", HTMLCanvasElement);
  readonly #button = element("play", HTMLButtonElement);
  readonly #speed = element("speed", HTMLInputElement);
  readonly #speedValue = element("speed-value", HTMLSpanElement);
  #frames: readonly ImageData[] = [];
  /** The visitor's choice; none yet means that motion starts unless the system says to reduce it. */
  #wanted: boolean | undefined;
  #visible = false;
  #handle: number | undefined;
  #position = 0;
  #last = 0;

  constructor() {
    this.#button.addEventListener("click", () => {
      this.#wanted = !this.#plays;
      this.#update();
    });
    this.#speed.addEventListener("input", () => this.#showSpeed());
    this.#showSpeed();
  }

  set frames(frames: readonly ImageData[]) {
    this.#frames = frames;
    this.#draw();
    this.#update();
  }

  /** Nothing is played in a view that is not seen. */
  set visible(visible: boolean) {
    this.#visible = visible;
    this.#update();
  }

  get #plays(): boolean {
    return this.#wanted ?? !matchMedia("(prefers-reduced-motion: reduce)").matches;
  }

  #update(): void {
    this.#button.textContent = this.#plays ? "Pause" : "Play";
    const runs = this.#plays && this.#visible && this.#frames.length > 1;
    if (!runs && this.#handle !== undefined) {
      cancelAnimationFrame(this.#handle);
      this.#handle = undefined;
    }
    if (runs && this.#handle === undefined) {
      this.#last = performance.now();
      this.#handle = requestAnimationFrame((now) => this.#tick(now));
    }
  }

  #tick(now: number): void {
    const before = Math.floor(this.#position);
    this.#position += ((now - this.#last) / 1000) * this.#speed.valueAsNumber;
    this.#last = now;
    if (Math.floor(this.#position) !== before) this.#draw();
    this.#handle = requestAnimationFrame((then) => this.#tick(then));
  }

  #draw(): void {
    const count = this.#frames.length;
    // there and back without showing the ends twice
    const period = Math.max(1, 2 * (count - 1));
    const place = Math.floor(this.#position) % period;
    const frame = this.#frames[place < count ? place : period - place];
    if (!frame) return;
    if (this.#canvas.width !== frame.width) {
      this.#canvas.width = this.#canvas.height = frame.width;
      this.#canvas.classList.toggle("enlarged", frame.width <= MOST_ENLARGED);
    }
    this.#canvas.getContext("2d")?.putImageData(frame, 0, 0);
  }

  #showSpeed(): void {
    const text = `${this.#speed.value} a second`;
    this.#speedValue.textContent = text;
    this.#speed.setAttribute("aria-valuetext", `${this.#speed.value} pictures a second`);
  }
}
