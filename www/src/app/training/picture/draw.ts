/** The diagram of the two networks as SVG: boxes that are buttons, and the flows between them. */

import type { TrainRecipe } from "../package.js";
import { discriminatorMaps, type FeatureMap, generatorMaps } from "./layers.js";
import type { Box, Flow, Layout } from "./layout.js";
import { type Part, PARTS } from "./parts.js";

const SVG = "http://www.w3.org/2000/svg";

/** Parts that hold an image, and those that hold two lines of numbers. */
const IMAGE_PARTS = ["fakes", "reals"] as const;
const NUMBER_PARTS = ["scores", "loss"] as const;

export interface Drawing {
  svg: SVGSVGElement;
  parts: Map<Part, SVGGElement>;
  flows: { flow: Flow; path: SVGPathElement }[];
  images: Map<Part, SVGImageElement>;
  numbers: Map<Part, SVGTextElement[]>;
}

const TITLES: Record<Part, string[]> = {
  latents: ["Noise z"],
  classes: ["Class y"],
  generator: ["Generator G"],
  fakes: ["Fakes"],
  reals: ["Real images"],
  discriminator: ["Discriminator D"],
  scores: ["Scores of D"],
  loss: ["Loss"],
  "update-d": ["Gradient, Adam:", "D learns"],
  "update-g": ["Gradient, Adam:", "G learns"],
  orthogonal: ["Orthogonal", "regularisation"],
  average: ["Average of G", "draws the samples"],
};

const LINE = 17;
const TITLE_TOP = 22;

export function draw(layout: Layout, recipe: TrainRecipe, resolution: number): Drawing {
  const svg = make("svg", {
    viewBox: `0 0 ${layout.width} ${layout.height}`,
    role: "group",
    "aria-label": "The two networks and the flow of a step",
  });
  const drawing: Drawing = { svg, parts: new Map(), flows: [], images: new Map(), numbers: new Map() };
  svg.append(markers());
  for (const flow of layout.flows) {
    const back = flow.from.startsWith("update") || flow.to.startsWith("update");
    const path = make("path", { d: pathOf(flow), class: back ? "flow back" : "flow" });
    drawing.flows.push({ flow, path });
    svg.append(path);
  }
  const maps = { generator: generatorMaps(recipe, resolution), discriminator: discriminatorMaps(recipe, resolution) };
  for (const part of PARTS) {
    const at = layout.boxes[part];
    const button = make("g", { class: `part ${part}`, role: "button", tabindex: "0", "aria-pressed": "false" });
    button.append(make("rect", { ...numbers({ ...at }), rx: "9" }), ...titleLines(part, at));
    // next to the button: changing numbers are not part of its name
    const inside = make("g", { class: "inside" });
    if (part === "generator" || part === "discriminator") inside.append(...bars(maps[part], at));
    if (IMAGE_PARTS.some((name) => name === part)) drawing.images.set(part, addImage(inside, at));
    if (NUMBER_PARTS.some((name) => name === part)) drawing.numbers.set(part, addNumbers(inside, at));
    drawing.parts.set(part, button);
    svg.append(button, inside);
  }
  return drawing;
}

function titleLines(part: Part, at: Box): SVGTextElement[] {
  const lines = TITLES[part];
  const alone = part === "latents" || part === "classes" || lines.length > 1;
  const top = alone ? at.y + at.height / 2 - ((lines.length - 1) * LINE) / 2 + 5 : at.y + TITLE_TOP;
  return lines.map((line, index) =>
    // the space separates the lines in the button's name
    text(`${line} `, at.x + at.width / 2, top + index * LINE, index === 0 ? "title" : "small"),
  );
}

/** One bar per feature map, as high as its side, labelled with side and channels. */
function bars(maps: readonly FeatureMap[], at: Box): SVGElement[] {
  const pad = 8;
  const slot = (at.width - 2 * pad) / Math.max(1, maps.length);
  const [top, bottom] = [at.y + 34, at.y + at.height - 38];
  const largest = Math.max(...maps.map(({ side }) => side), 1);
  return maps.flatMap(({ side, channels }, index) => {
    const middle = at.x + pad + (index + 0.5) * slot;
    const height = ((bottom - top) * Math.log2(side)) / Math.log2(largest);
    const width = Math.min(26, slot * 0.55);
    const y = (top + bottom) / 2 - height / 2;
    return [
      make("rect", { ...numbers({ x: middle - width / 2, y, width, height }), rx: "3", class: "map" }),
      text(`${side}×${side}`, middle, bottom + 16, "tiny"),
      text(String(channels), middle, bottom + 30, "tiny"),
    ];
  });
}

function addImage(group: SVGGElement, at: Box): SVGImageElement {
  const room = Math.min(at.width - 24, at.height - 44);
  const image = make("image", {
    ...numbers({ x: at.x + (at.width - room) / 2, y: at.y + 34, width: room, height: room }),
    "aria-hidden": "true",
  });
  group.append(image);
  return image;
}

function addNumbers(group: SVGGElement, at: Box): SVGTextElement[] {
  const top = at.y + (TITLE_TOP + at.height) / 2;
  const lines = [0, 1].map((line) => text("", at.x + at.width / 2, top + line * LINE, "number"));
  group.append(...lines);
  return lines;
}

function markers(): SVGDefsElement {
  const defs = make("defs");
  for (const id of ["arrow", "arrow-lit"]) {
    const marker = make("marker", {
      ...{ id, viewBox: "0 0 8 8", refX: "7", refY: "4", markerWidth: "8", markerHeight: "8" },
      ...{ orient: "auto", markerUnits: "userSpaceOnUse" },
    });
    marker.append(make("path", { d: "M0 0 8 4 0 8Z", class: id }));
    defs.append(marker);
  }
  return defs;
}

const pathOf = ({ points }: Flow) => `M${points.map(([x, y]) => `${x} ${y}`).join(" L")}`;

function text(content: string, x: number, y: number, kind: string): SVGTextElement {
  const made = make("text", { ...numbers({ x, y }), class: kind, "text-anchor": "middle" });
  made.textContent = content;
  return made;
}

const numbers = (values: Record<string, number>): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));

function make<Name extends keyof SVGElementTagNameMap>(
  name: Name,
  attributes: Record<string, string> = {},
): SVGElementTagNameMap[Name] {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
