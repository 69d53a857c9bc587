/** The diagram of a step: parts are explained when chosen, light up in turn after a single step, and show steps in slow motion. */

import { element } from "../../element.js";
import type { TrainRecipe, Which } from "../package.js";
import { draw, type Drawing } from "./draw.js";
import { TALL, WIDE } from "./layout.js";
import { addressOf, Motion } from "./motion.js";
import { EXPLANATIONS, type Part } from "./parts.js";
import { type Phase, phasesOf, type Taken } from "./phases.js";
import { type Measured, type Stage, stagesOf } from "./walk.js";

/** Below this width in pixels the tall diagram is used, since the wide one would be illegible. */
const NARROW = 620;
/** Duration of a stage. */
const STAGE_MS = 3000;

export class StepPicture {
  readonly #frame = element("step-picture", HTMLDivElement);
  readonly #title = element("step-title", HTMLHeadingElement);
  readonly #says = element("step-says", HTMLParagraphElement);
  readonly #text = element("step-text", HTMLParagraphElement);
  readonly #transport = document.querySelector(".transport") as HTMLElement;
  readonly #now = element("step-now", HTMLParagraphElement);
  readonly #count = element("step-count", HTMLSpanElement);
  readonly #back = element("step-back", HTMLButtonElement);
  readonly #hold = element("step-hold", HTMLButtonElement);
  readonly #next = element("step-next", HTMLButtonElement);
  #drawing: Drawing | undefined;
  #narrow: boolean | undefined;
  #recipe: TrainRecipe | undefined;
  #resolution = 0;
  #measured: Measured = {};
  #images = new Map<Part, string>();
  #stages: Stage[] = [];
  #at = 0;
  #timer: ReturnType<typeof setInterval> | undefined;
  #motion: Motion | undefined;
  #chosen: Part = "generator";

  constructor() {
    this.#back.addEventListener("click", () => this.#go(this.#at - 1));
    this.#next.addEventListener("click", () => this.#go(this.#at + 1));
    this.#hold.addEventListener("click", () => (this.#timer === undefined ? this.#run() : this.#halt()));
    new ResizeObserver(() => this.#redrawIfNeeded()).observe(this.#frame);
    this.#showControls();
  }

  /** The networks that a recipe makes. */
  show(recipe: TrainRecipe, resolution: number): void {
    this.#recipe = recipe;
    this.#resolution = resolution;
    this.#narrow = undefined;
    this.#redrawIfNeeded();
  }

  /** One of the images of a batch, for its box. */
  setImage(part: "fakes" | "reals", image: ImageData): void {
    const address = addressOf(image);
    this.#images.set(part, address);
    this.#drawing?.images.get(part)?.setAttribute("href", address);
  }

  /** Shows what the newest step measured; the rest stays as it was. */
  setMeasured(measured: Measured): void {
    const old = this.#measured;
    const { dReal = old.dReal, dFake = old.dFake, lossD = old.lossD, lossG = old.lossG } = measured;
    this.#measured = { dReal, dFake, lossD, lossG };
    this.#setNumbers("scores", ["real", dReal], ["fake", dFake]);
    this.#setNumbers("loss", ["D", lossD], ["G", lossG]);
  }

  /** Walks through the step that was taken. */
  walk(which: Which): void {
    if (!this.#recipe) return;
    this.endMotion();
    this.#stages = stagesOf(which, this.#recipe, this.#measured);
    this.bringIntoSight();
    this.#go(0);
    if (likesStillness()) this.#halt();
    else this.#run();
  }

  /** For a visitor who wants to see the step. */
  bringIntoSight(): void {
    if (!isWhollyInSight(this.#frame)) bringTo(this.#frame.closest("section"), "start");
  }

  /** Shows a step in slow motion; ends with it. */
  async move(taken: Taken): Promise<void> {
    this.end();
    if (!this.#recipe || !this.#drawing) return;
    const layout = this.#narrow ? TALL : WIDE;
    const motion = new Motion(this.#drawing, layout, likesStillness(), { onPhase: (phase) => this.#showPhase(phase) });
    this.#motion = motion;
    await motion.run(phasesOf(taken, this.#recipe));
    if (this.#motion === motion) this.endMotion();
  }

  endMotion(): void {
    const motion = this.#motion;
    if (!motion) return;
    this.#motion = undefined;
    motion.end();
    this.#now.textContent = "";
    this.#light([], this.#chosen);
  }

  /** Walk and motion end: steps follow each other too fast for them. */
  end(): void {
    this.endMotion();
    this.#halt();
    this.#stages = [];
    this.#light([], this.#chosen);
    this.#showControls();
  }

  #run(): void {
    this.#halt();
    if (this.#at >= this.#stages.length - 1) this.#go(0);
    this.#timer = setInterval(() => {
      if (this.#at >= this.#stages.length - 1) this.#halt();
      else this.#go(this.#at + 1);
    }, STAGE_MS);
    this.#showControls();
  }

  #halt(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#showControls();
  }

  #go(at: number): void {
    const stage = this.#stages[at];
    if (!stage) return;
    this.#at = at;
    this.#light(stage.parts, stage.about);
    this.#explain(stage.about, stage.says);
    this.#showControls();
    // the tall diagram is higher than a phone screen; do not scroll back a visitor who has scrolled away
    if (this.#narrow && isInSight(this.#frame)) bringTo(this.#drawing?.parts.get(stage.about), "center");
  }

  #showControls(): void {
    const walking = this.#stages.length > 0;
    for (const control of [this.#back, this.#hold, this.#next]) control.hidden = !walking;
    this.#count.textContent = walking ? `${this.#at + 1} of ${this.#stages.length}` : "";
    this.#back.disabled = this.#at === 0;
    this.#next.disabled = this.#at >= this.#stages.length - 1;
    this.#hold.textContent = this.#timer === undefined ? "Run through" : "Hold";
  }

  #showPhase({ moves, says }: Phase): void {
    this.#now.textContent = says;
    const lit = new Set(moves.flatMap(({ from, to }) => [from, to]));
    this.#light([...lit], this.#chosen);
    const [first] = moves;
    const target = first && this.#drawing?.parts.get(first.to);
    if (target && this.#narrow && isInSight(this.#frame) && this.#isCovered(target)) bringTo(target, "center");
  }

  /** Whether a part is under the transport or under what is said of the parts. */
  #isCovered(part: Element): boolean {
    const { top, bottom } = part.getBoundingClientRect();
    const above = this.#transport.getBoundingClientRect().bottom;
    const below = this.#now.closest(".explained")?.getBoundingClientRect().top ?? innerHeight;
    return top < above || bottom > Math.min(below, innerHeight);
  }

  #explain(part: Part, says = ""): void {
    this.#chosen = part;
    const { title, text } = EXPLANATIONS[part];
    this.#title.textContent = title;
    this.#says.textContent = says;
    this.#says.hidden = says === "";
    this.#text.textContent = text;
    for (const [name, group] of this.#drawing?.parts ?? []) {
      group.setAttribute("aria-pressed", String(name === part));
    }
  }

  #light(parts: readonly Part[], about: Part): void {
    const drawing = this.#drawing;
    if (!drawing) return;
    for (const [name, group] of drawing.parts) group.classList.toggle("lit", parts.includes(name));
    const used = new Set(this.#stages.slice(0, this.#at + 1).flatMap((stage) => stage.parts));
    for (const { flow, path } of drawing.flows) {
      const within = parts.includes(flow.from) && parts.includes(flow.to);
      const into = this.#stages.length > 0 && flow.to === about && used.has(flow.from);
      path.classList.toggle("lit", parts.length > 0 && (within || into));
    }
  }

  #setNumbers(part: Part, ...lines: [string, number | undefined][]): void {
    lines.forEach(([name, value], index) => {
      const line = this.#drawing?.numbers.get(part)?.[index];
      if (line) line.textContent = value === undefined ? "" : `${name} ${value.toFixed(2).replace("-", "−")}`;
    });
  }

  #redrawIfNeeded(): void {
    const narrow = this.#frame.clientWidth < NARROW;
    if (!this.#recipe || this.#frame.clientWidth === 0 || narrow === this.#narrow) return;
    this.#narrow = narrow;
    this.endMotion();
    const drawing = draw(narrow ? TALL : WIDE, this.#recipe, this.#resolution);
    this.#drawing = drawing;
    this.#frame.classList.toggle("tall", narrow);
    for (const [part, group] of drawing.parts) {
      const choose = () => {
        this.#halt();
        this.#explain(part);
      };
      group.addEventListener("click", choose);
      group.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        choose();
      });
    }
    for (const [part, address] of this.#images) drawing.images.get(part)?.setAttribute("href", address);
    this.#frame.replaceChildren(drawing.svg);
    this.setMeasured({});
    const stage = this.#stages[this.#at];
    if (stage) this.#go(this.#at);
    else this.#explain(this.#chosen);
  }
}

const likesStillness = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

function bringTo(target: Element | null | undefined, block: ScrollLogicalPosition): void {
  if (target) target.scrollIntoView({ block, behavior: likesStillness() ? "auto" : "smooth" });
}

function isInSight(target: Element): boolean {
  const { top, bottom } = target.getBoundingClientRect();
  return bottom > 0 && top < innerHeight;
}

function isWhollyInSight(target: Element): boolean {
  const { top, bottom } = target.getBoundingClientRect();
  return top >= 0 && bottom <= innerHeight;
}
