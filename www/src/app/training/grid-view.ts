/** The samples of the fixed latents by class, with a timeline of earlier ones. */

import { element } from "../element.js";
import { showFill } from "../slider.js";
import { type Frame, FrameLog } from "./frame-log.js";
import { type Look, sheetOf } from "./package.js";
import { put } from "./put.js";

/** Frames per second of the replay. */
const REPLAY_HZ = 8;
/** Up to this many classes are squares side by side, more are rows. */
const FEW_CLASSES = 4;

/** Samples per class: enough to fill the view, and few enough to be redrawn often. */
export const samplesPerClass = (classes: number): number =>
  classes <= 2 ? 16 : classes <= 12 ? 8 : 4;

const columnsFor = (classes: number): number => (classes <= FEW_CLASSES ? 4 : 8);

export class GridView {
  readonly #frames = new FrameLog();
  readonly #grid = element("grid", HTMLDivElement);
  readonly #empty = element("grid-empty", HTMLDivElement);
  readonly #slider = element("timeline", HTMLInputElement);
  readonly #value = element("timeline-value", HTMLSpanElement);
  readonly #live = element("timeline-live", HTMLButtonElement);
  readonly #replay = element("timeline-replay", HTMLButtonElement);
  #classNames: readonly string[] = [];
  /** Whether the newest frame is shown. */
  #following = true;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor() {
    this.#slider.addEventListener("input", () => {
      this.#stopReplay();
      this.#following = this.#slider.valueAsNumber >= this.#frames.frames.length - 1;
      this.#show();
    });
    this.#live.addEventListener("click", () => {
      this.#stopReplay();
      this.#following = true;
      this.#show();
    });
    this.#replay.addEventListener("click", () => (this.#timer === undefined ? this.#startReplay() : this.#stopReplay()));
    this.#show();
  }

  /** A new run. */
  clear(classNames: readonly string[]): void {
    this.#stopReplay();
    this.#classNames = classNames;
    this.#frames.clear();
    this.#following = true;
    this.#grid.classList.toggle("few", classNames.length <= FEW_CLASSES);
    this.#grid.replaceChildren(...classNames.map(classFigure));
    this.#show();
  }

  add(look: Look, updates: number): void {
    const sheets = this.#classNames.map((_, index) => {
      const images = look.grid.filter((sample) => sample.class === index).map(({ image }) => image);
      return sheetOf(images, { columns: columnsFor(this.#classNames.length), gap: 1 });
    });
    const last = this.#frames.frames.at(-1);
    // probed again without a step in between
    if (last && last.updates === updates) this.#frames.cutAfter(updates - 1);
    const held = this.#following ? undefined : this.#shown;
    this.#frames.add({ gStep: look.gStep, updates, sheets });
    // the displayed frame may have been thinned out: then show the one before it
    if (held) {
      const index = this.#frames.frames.findLastIndex((frame) => frame.updates <= held.updates);
      this.#slider.max = String(this.#frames.frames.length - 1);
      this.#slider.value = String(Math.max(0, index));
    }
    this.#show();
  }

  cutAfter(updates: number): void {
    this.#frames.cutAfter(updates);
    this.#following = true;
    this.#show();
  }

  get #shown(): Frame | undefined {
    return this.#frames.frames[this.#slider.valueAsNumber];
  }

  #startReplay(): void {
    this.#following = false;
    this.#slider.value = "0";
    this.#show();
    this.#timer = setInterval(() => {
      const next = this.#slider.valueAsNumber + 1;
      this.#slider.value = String(next);
      if (next >= this.#frames.frames.length - 1) {
        this.#following = true;
        this.#stopReplay();
      }
      this.#show();
    }, 1000 / REPLAY_HZ);
    this.#show();
  }

  #stopReplay(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#replay.textContent = "Replay";
  }

  #show(): void {
    const { frames } = this.#frames;
    const last = frames.length - 1;
    this.#slider.max = String(Math.max(0, last));
    if (this.#following) this.#slider.value = String(Math.max(0, last));
    showFill(this.#slider);
    this.#slider.disabled = last < 1;
    this.#replay.disabled = last < 1;
    this.#live.disabled = this.#following;
    this.#empty.hidden = last >= 0;
    this.#grid.hidden = last < 0;
    if (this.#timer !== undefined) this.#replay.textContent = "Stop";
    const frame = this.#shown;
    if (!frame) {
      this.#value.textContent = "";
      return;
    }
    const when = this.#following ? "now" : "then";
    const steps = `${frame.gStep.toLocaleString("en")} ${frame.gStep === 1 ? "step" : "steps"} of G`;
    this.#value.textContent = `${steps}${this.#following ? ", now" : ""}`;
    this.#slider.setAttribute("aria-valuetext", `after ${steps}, ${when}`);
    frame.sheets.forEach((sheet, index) => {
      const canvas = this.#grid.querySelectorAll("canvas")[index];
      if (!canvas) return;
      put(canvas, sheet);
      canvas.setAttribute("aria-label", `Fakes of the class ${this.#classNames[index]} after ${steps}`);
    });
  }
}

function classFigure(name: string): HTMLElement {
  const figure = document.createElement("figure");
  const caption = document.createElement("figcaption");
  caption.textContent = name;
  const canvas = document.createElement("canvas");
  canvas.className = "enlarged";
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `Fakes of the class ${name}`);
  figure.append(caption, canvas);
  return figure;
}
