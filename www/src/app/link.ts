/**
 * A state as the fragment of an address, and back. Pictures carry the same text.
 *
 * ```text
 * class=3:60,8:40&seed=7&index=2&z=0,0.5&steps=12:0.25,3:0.25&t=0.5&n=16&view=breeding&size=0.4&litter=1
 * &to.class=..&to.seed=..&to.index=..&to.z=..&to.steps=..&cross=b&m=0123456789abcdef&model=https://..
 * ```
 *
 * A step with a mate is `x0.5:0/1/1/0(8/9/2/0,0.5/5:0.25)`: where the classes and the chunks of z are between the two, and the
 * mate as class/seed/index/z/steps, of which the last may be missing or empty.
 *
 * Only differences from the initial state are written. Numbers are decimal with enough digits to be
 * read back exactly.
 */

import type { ClassWeight, Latent, Point, Seed, Step } from "../lib/index.js";
import { isCross } from "./points.js";
import { DEFAULT_STATE, MAX_STEPS, type State, type View, VIEWS } from "./state.js";

const LARGEST_SEED = 2n ** 64n - 1n;
/** Most chunks of z that a link may change: bounds its cost. */
const MAX_CHUNKS = 64;
const END = "to.";
/** What is crossed with. */
const MATE = "b";
/** Before the classes of the point, where the samples are one of each class. */
const EVERY = "all";

const POINT_KEYS = ["class", "seed", "index", "z", "steps"];
const KEYS = new Set([
  ...POINT_KEYS,
  ...POINT_KEYS.map((key) => END + key),
  ...["t", "n", "view", "size", "litter", "cross", "m", "model"],
]);

/** The text of a state, without a `#`. */
export function encode(state: State): string {
  const pairs: [string, string][] = [
    ...encodePoint(state.point, "", state.everyClass),
    ["t", state.truncation === null ? "off" : String(state.truncation)],
    ["n", String(state.count)],
  ];
  const add = (key: string, value: string | number | null, usual: unknown) => {
    if (value !== null && value !== usual) pairs.push([key, String(value)]);
  };
  add("view", state.view, DEFAULT_STATE.view);
  add("size", state.stepSize, DEFAULT_STATE.stepSize);
  add("litter", state.litter, DEFAULT_STATE.litter);
  add("cross", state.cross ? MATE : null, null);
  if (state.end) pairs.push(...encodePoint(state.end, END));
  add("m", state.modelId, null);
  add("model", state.model, null);
  // ":", "," and "/" are allowed in a fragment and keep it readable
  const text = (value: string) => encodeURIComponent(value).replace(/%3A|%2C|%2F/g, decodeURIComponent);
  return pairs.map(([key, value]) => `${key}=${text(value)}`).join("&");
}

function encodePoint({ classes, z }: Point, prefix: string, every = false): [string, string][] {
  const pairs: [string, string][] = [];
  const mix = mixText(classes);
  const wanted = every ? [EVERY, ...(mix === "0" ? [] : [mix])].join(":") : mix;
  pairs.push([`${prefix}class`, wanted], [`${prefix}seed`, String(z.seed)]);
  if (z.index) pairs.push([`${prefix}index`, String(z.index)]);
  if (z.chunks?.some((turn) => turn !== 0)) pairs.push([`${prefix}z`, z.chunks.join(",")]);
  if (z.steps?.length) pairs.push([`${prefix}steps`, z.steps.map(stepText).join(",")]);
  return pairs;
}

const mixText = (classes: readonly ClassWeight[]) =>
  classes.length === 1 && classes[0]
    ? String(classes[0].class)
    : classes.map((part) => `${part.class}:${part.weight}`).join(",");

function stepText(step: Step): string {
  if (!isCross(step)) return `${step.seed}:${step.size}`;
  const { classes, z } = step.mate;
  const turns = z.chunks?.some((turn) => turn !== 0) ? z.chunks.join(",") : "";
  const mate = [mixText(classes), z.seed, z.index || "", turns, (z.steps ?? []).map(stepText).join(",")].join("/");
  return `x${step.classes}:${step.chunks.join("/")}(${mate.replace(/\/+$/, "")})`;
}

/** A link that was read. */
export interface Link {
  state: State;
  /** What could not be read, in words; the rest of the link holds. */
  wrong: string[];
}

/** The state of a text; what is missing or cannot be read has its initial value. */
export function decode(text: string): Link {
  // programs that pass a link on escape it for HTML, and add to its end, e.g. another fragment
  const [own = ""] = text.replace(/^#/, "").replaceAll("&amp;", "&").split("#");
  const given = new Map(new URLSearchParams(own));
  const wrong = [...given.keys()]
    .filter((key) => !KEYS.has(key))
    .map((key) => `the link has a part ${JSON.stringify(shortened(key))}, which is unknown`);
  const read = <T>(key: string, usual: T, parse: (value: string) => T): T => {
    const value = given.get(key);
    if (value === undefined) return usual;
    try {
      return parse(value);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      wrong.push(`in the link, ${key}=${shortened(value)}: ${why}`);
      return usual;
    }
  };
  const point = (prefix: string, usual: Point): Point => {
    const index = read(`${prefix}index`, 0, whole(Number.MAX_SAFE_INTEGER));
    const steps = read(`${prefix}steps`, [], parseLineage);
    const chunks = read(`${prefix}z`, [], parseTurns);
    const z = latent(read(`${prefix}seed`, usual.z.seed, parseSeed), index, steps, chunks);
    return { classes: read(`${prefix}class`, usual.classes, parseClasses), z };
  };
  const wanted = given.get("class");
  const [every, ...selected] = (wanted ?? EVERY).split(":");
  const everyClass = every === EVERY;
  if (everyClass) {
    if (selected.length > 0) given.set("class", selected.join(":"));
    else given.delete("class");
  }
  const start = point("", DEFAULT_STATE.point);
  const hasEnd = [...given.keys()].some((key) => key.startsWith(END));
  const state: State = {
    point: start,
    everyClass,
    end: hasEnd ? point(END, start) : null,
    truncation: read("t", DEFAULT_STATE.truncation, (value) =>
      value === "off" ? null : above0(value),
    ),
    count: read("n", DEFAULT_STATE.count, whole(1_000_000, 1)),
    view: read("view", DEFAULT_STATE.view, parseView),
    cross: read("cross", DEFAULT_STATE.cross, parseCross),
    stepSize: read<number | null>("size", DEFAULT_STATE.stepSize, above0),
    litter: read("litter", DEFAULT_STATE.litter, whole(1_000_000)),
    modelId: read<string | null>("m", null, (value) => {
      if (/^[0-9a-f]{8,64}$/.test(value)) return value;
      throw new Error("give 8 to 64 digits of a SHA-256 in lower-case hex");
    }),
    model: read<string | null>("model", null, parseAddress),
  };
  return { state, wrong };
}

const shortened = (text: string) => (text.length > 40 ? `${text.slice(0, 40)}…` : text);

function number(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new Error(`${JSON.stringify(text)} is not a number`);
  return value;
}

function above0(text: string): number {
  const value = number(text);
  if (value > 0) return value;
  throw new Error("give a number above 0");
}

const whole =
  (most: number, least = 0) =>
  (text: string): number => {
    const value = /^\d+$/.test(text) ? Number(text) : NaN;
    if (value >= least && value <= most) return value;
    throw new Error(`give a whole number from ${least} to ${most}`);
  };

/** @throws if the text is not a seed. */
export function parseSeed(text: string): bigint {
  const seed = /^\d{1,20}$/.test(text) ? BigInt(text) : -1n;
  if (seed >= 0n && seed <= LARGEST_SEED) return seed;
  throw new Error(`a seed is a whole number from 0 to ${LARGEST_SEED}`);
}

function parseClasses(text: string): ClassWeight[] {
  const parts = text.split(",").map((part) => {
    const [index = "", weight = "1", ...rest] = part.split(":");
    if (rest.length > 0) throw new Error("give classes as class:weight,class:weight");
    return { class: whole(1_000_000)(index), weight: number(weight) };
  });
  if (parts.some(({ weight }) => weight < 0)) throw new Error("a weight is below 0");
  if (parts.every(({ weight }) => weight === 0)) throw new Error("the weights are all 0");
  return parts;
}

const latent = (seed: Seed, index: number, steps: Step[], chunks: number[]): Latent => ({
  seed,
  ...(index > 0 && { index }),
  ...(steps.length > 0 && { steps }),
  ...(chunks.length > 0 && { chunks }),
});

const parseLineage = (text: string): Step[] => parseSteps(text, { steps: 0 });

/** Steps; `given` counts those of mates, too, so that no link is too deep. */
function parseSteps(text: string, given: { steps: number }): Step[] {
  const parts = splitOutside(text, ",");
  given.steps += parts.length;
  if (given.steps > MAX_STEPS) {
    throw new Error(`${given.steps} steps are given, ${MAX_STEPS} at most are drawn, those of mates included`);
  }
  return parts.map((part) => {
    const cross = /^x([^:()]*):([^()]*)\((.*)\)$/.exec(part);
    if (cross) {
      const [, classes = "", places = "", mate = ""] = cross;
      const chunks = limited(places.split("/").map(place), "crossed");
      return { mate: parseMate(mate, given), classes: place(classes), chunks };
    }
    const [seed = "", size = "", ...rest] = part.split(":");
    if (rest.length > 0 || seed.startsWith("x")) {
      throw new Error("give steps as seed:size,seed:size, and one with a mate as x0.5:0/1(class/seed)");
    }
    return { seed: parseSeed(seed), size: number(size) };
  });
}

function parseMate(text: string, given: { steps: number }): Point {
  const [classes = "", seed = "", index = "", turns = "", ...rest] = splitOutside(text, "/");
  // a cross has slashes of its own
  const steps = rest.join("/");
  const z = latent(
    parseSeed(seed),
    index === "" ? 0 : whole(Number.MAX_SAFE_INTEGER)(index),
    steps === "" ? [] : parseSteps(steps, given),
    turns === "" ? [] : parseTurns(turns),
  );
  return { classes: parseClasses(classes), z };
}

/** The parts between separators that are in no brackets. */
function splitOutside(text: string, separator: string): string[] {
  const parts: string[] = [];
  let [start, depth] = [0, 0];
  for (let at = 0; at < text.length; at++) {
    const letter = text[at];
    if (letter === "(") depth++;
    else if (letter === ")") depth--;
    if (depth < 0) break;
    if (letter !== separator || depth > 0) continue;
    parts.push(text.slice(start, at));
    start = at + 1;
  }
  if (depth !== 0) throw new Error("a bracket is missing");
  return [...parts, text.slice(start)];
}

function place(text: string): number {
  const at = number(text);
  if (at >= 0 && at <= 1) return at;
  throw new Error("a place between two parents is 0 to 1");
}

function limited(chunks: number[], what: string): number[] {
  if (chunks.length <= MAX_CHUNKS) return chunks;
  throw new Error(`${chunks.length} chunks are ${what}, ${MAX_CHUNKS} at most`);
}

function parseCross(text: string): boolean {
  if (text === MATE) return true;
  throw new Error(`pictures are crossed with ${MATE} only`);
}

function parseTurns(text: string): number[] {
  const turns = limited(text.split(",").map(number), "turned");
  if (turns.every((turn) => Math.abs(turn) <= 1)) return turns;
  throw new Error("a chunk is turned by -1 to 1");
}

function parseView(text: string): View {
  const view = VIEWS.find((name) => name === text);
  if (view) return view;
  throw new Error(`there is no such view; choose one of ${VIEWS.join(", ")}`);
}

/** @throws if a page must not load a model from there. */
export function parseAddress(text: string): string {
  if (!URL.canParse(text)) throw new Error("give a full address, such as https://example.org/model.safetensors, or a name such as hf:OWNER/REPOSITORY");
  const url = new URL(text);
  const here = globalThis.location?.origin;
  // a name of a repository: the package says what is wrong with one
  if (url.protocol === "https:" || url.protocol === "hf:" || url.origin === here) return url.href;
  throw new Error("models come over https, from this page's own server, or by a name such as hf:OWNER/REPOSITORY");
}
