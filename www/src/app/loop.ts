/** Frames that play forwards and backwards. */

import { element } from "./element.js";
import { MOST_ENLARGED } from "./gallery.js";
import { showFill } from "./slider.js";
import { placeInLoop } from "./there-and-back.js";

export class Loop {
  readonly #canvas = element("loop", HTMLCanvasElement);
  readonly #button = element("play", HTMLButtonElement);
  readonly #speed = element("speed", HTMLInputElement);
  readonly #speedValue = element("speed-value", HTMLSpanElement);
  #frames: readonly ImageData[] = [];
  /** The visitor's choice; before there is one, the loop starts unless the system asks for reduced motion. */
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

  get perSecond(): number {
    return this.#speed.valueAsNumber;
  }

  /** The loop does not play in a hidden view. */
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
    const frame = this.#frames[placeInLoop(Math.floor(this.#position), this.#frames.length)];
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
    showFill(this.#speed);
    this.#speed.setAttribute("aria-valuetext", `${this.#speed.value} pictures a second`);
  }
}
