/** Things that move along the flows of the diagram, phase after phase. */

import type { Drawing } from "./draw.js";
import type { Box, Layout } from "./layout.js";
import type { Move, Phase, Thing } from "./phases.js";

const SVG = "http://www.w3.org/2000/svg";

/** Duration of a phase: with 15 of them, a step takes 6 seconds. */
export const PHASE_MS = 400;
/** How far behind the one before it a thing sets out, in shares of a phase. */
const BEHIND = 0.16;
/** Side of an image, height of words and width of a letter, in the units of the picture. */
const IMAGE = 38;
const LINE = 24;
const LETTER = 8;

type Point = [number, number];

export interface MotionEvents {
  onPhase(phase: Phase): void;
}

/** One motion through all phases. */
export class Motion {
  readonly #drawing: Drawing;
  readonly #layout: Layout;
  readonly #still: boolean;
  readonly #events: MotionEvents;
  #group: SVGGElement | undefined;
  #frame = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #end: () => void = () => {};

  /** `still`: phases light up, and nothing moves. */
  constructor(drawing: Drawing, layout: Layout, still: boolean, events: MotionEvents) {
    this.#drawing = drawing;
    this.#layout = layout;
    this.#still = still;
    this.#events = events;
  }

  /** Ends when all phases have been shown, or it is ended. */
  run(phases: readonly Phase[]): Promise<void> {
    return new Promise((resolve) => {
      this.#end = resolve;
      this.#show(phases, 0);
    });
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#clear();
    this.#end();
  }

  #show(phases: readonly Phase[], at: number): void {
    this.#clear();
    const phase = phases[at];
    if (!phase) return this.#end();
    this.#events.onPhase(phase);
    // a page in the background has no frames, and goes on all the same
    this.#timer = setTimeout(() => this.#show(phases, at + 1), PHASE_MS);
    if (!this.#still) this.#move(phase.moves);
  }

  #move(moves: readonly Move[]): void {
    const group = make("g", { class: "moving", "aria-hidden": "true" });
    const things = moves.flatMap((move) => {
      const points = pathOf(this.#layout, move);
      return move.things.map((thing, number) => ({ points, shape: shapeOf(thing), late: number * BEHIND, share: shareOf(move) }));
    });
    group.append(...things.map(({ shape }) => shape));
    this.#drawing.svg.append(group);
    this.#group = group;
    const began = performance.now();
    const step = (now: number) => {
      const gone = Math.min(1, Math.max(0, (now - began) / PHASE_MS));
      for (const { points, shape, late, share } of things) {
        const way = Math.min(1, Math.max(0, (gone - late) / share));
        const [x, y] = pointAt(points, eased(way));
        shape.setAttribute("transform", `translate(${x.toFixed(1)} ${y.toFixed(1)})`);
        shape.setAttribute("opacity", Math.min(1, 6 * way, 6 * (1 - way)).toFixed(2));
      }
      this.#frame = requestAnimationFrame(step);
    };
    step(began);
  }

  #clear(): void {
    cancelAnimationFrame(this.#frame);
    this.#group?.remove();
    this.#group = undefined;
  }
}

/** How much of the phase each thing is under way. */
const shareOf = ({ things }: Move): number => 1 - BEHIND * (things.length - 1);

const eased = (way: number): number => way * way * (3 - 2 * way);

/** From the middle of a part along the flow to the middle of another. */
export function pathOf({ boxes, flows }: Layout, { from, to }: Pick<Move, "from" | "to">): Point[] {
  const flow = flows.find((flow) => flow.from === from && flow.to === to);
  return [middleOf(boxes[from]), ...(flow?.points ?? []), middleOf(boxes[to])];
}

const middleOf = ({ x, y, width, height }: Box): Point => [x + width / 2, y + height / 2];

/** The point after a share of the length of a path. */
export function pointAt(points: readonly Point[], share: number): Point {
  const legs = points.slice(1).map(([x, y], index) => {
    const [fromX, fromY] = points[index] as Point;
    return { fromX, fromY, x, y, length: Math.hypot(x - fromX, y - fromY) };
  });
  let left = share * legs.reduce((sum, { length }) => sum + length, 0);
  for (const { fromX, fromY, x, y, length } of legs) {
    if (left <= length) {
      const part = length === 0 ? 0 : left / length;
      return [fromX + part * (x - fromX), fromY + part * (y - fromY)];
    }
    left -= length;
  }
  return points.at(-1) as Point;
}

/** What a thing looks like, around the origin. */
function shapeOf(thing: Thing): SVGGElement {
  const group = make("g");
  if ("image" in thing) {
    const box = { x: -IMAGE / 2, y: -IMAGE / 2, width: IMAGE, height: IMAGE };
    group.append(make("image", { ...box, href: addressOf(thing.image) }), make("rect", box));
    return group;
  }
  const width = LETTER * thing.text.length + 16;
  const words = make("text", { y: 5, "text-anchor": "middle" });
  words.textContent = thing.text;
  group.append(make("rect", { x: -width / 2, y: -LINE / 2, width, height: LINE, rx: LINE / 2 }), words);
  group.classList.add("words");
  return group;
}

/** The address of an image, for SVG. */
export function addressOf(image: ImageData): string {
  const canvas = document.createElement("canvas");
  canvas.width = image.width;
  canvas.height = image.height;
  canvas.getContext("2d")?.putImageData(image, 0, 0);
  return canvas.toDataURL();
}

function make<Name extends "g" | "rect" | "image" | "text">(
  name: Name,
  attributes: Record<string, string | number> = {},
): SVGElementTagNameMap[Name] {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}
