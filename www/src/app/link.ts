/**
 * A state as the fragment of an address, and back. Pictures carry the same text.
 *
 * ```text
 * class=3:60,8:40&seed=7&index=2&z=0,0.5&steps=12:0.25,3:0.25&t=0.5&n=16&view=breeding&size=0.25&litter=1
 * &to.class=..&to.seed=..&to.index=..&to.z=..&to.steps=..&m=0123456789abcdef&model=https://..
 * ```
 *
 * Only differences from the initial state are written. Numbers are decimal with enough digits to be
 * read back exactly.
 */

import type { ClassWeight, Latent, Point, Step } from "../lib/index.js";
import { DEFAULT_STATE, MAX_COUNT, MAX_STEPS, type State, type View, VIEWS } from "./state.js";

const LARGEST_SEED = 2n ** 64n - 1n;
/** Most chunks of z that a link may change: bounds its cost. */
const MAX_CHUNKS = 64;
const END = "to.";

const POINT_KEYS = ["class", "seed", "index", "z", "steps"];
const KEYS = new Set([
  ...POINT_KEYS,
  ...POINT_KEYS.map((key) => END + key),
  ...["t", "n", "view", "size", "litter", "m", "model"],
]);

/** The text of a state, without a `#`. */
export function encode(state: State): string {
  const pairs: [string, string][] = [
    ...encodePoint(state.point, ""),
    ["t", state.truncation === null ? "off" : String(state.truncation)],
    ["n", String(state.count)],
  ];
  const add = (key: string, value: string | number | null, usual: unknown) => {
    if (value !== null && value !== usual) pairs.push([key, String(value)]);
  };
  add("view", state.view, DEFAULT_STATE.view);
  add("size", state.stepSize, DEFAULT_STATE.stepSize);
  add("litter", state.litter, DEFAULT_STATE.litter);
  if (state.end) pairs.push(...encodePoint(state.end, END));
  add("m", state.modelId, null);
  add("model", state.model, null);
  // ":", "," and "/" are allowed in a fragment and keep it readable
  const text = (value: string) => encodeURIComponent(value).replace(/%3A|%2C|%2F/g, decodeURIComponent);
  return pairs.map(([key, value]) => `${key}=${text(value)}`).join("&");
}

function encodePoint({ classes, z }: Point, prefix: string): [string, string][] {
  const pairs: [string, string][] = [];
  const [first] = classes;
  const mix =
    classes.length === 1 && first
      ? String(first.class)
      : classes.map((part) => `${part.class}:${part.weight}`).join(",");
  pairs.push([`${prefix}class`, mix], [`${prefix}seed`, String(z.seed)]);
  if (z.index) pairs.push([`${prefix}index`, String(z.index)]);
  if (z.chunks?.some((turn) => turn !== 0)) pairs.push([`${prefix}z`, z.chunks.join(",")]);
  if (z.steps?.length) {
    pairs.push([`${prefix}steps`, z.steps.map(({ seed, size }) => `${seed}:${size}`).join(",")]);
  }
  return pairs;
}

/**
 * The state of a text; missing parts have their initial values.
 *
 * @throws if the text is not such a link; the message names the part.
 */
export function decode(text: string): State {
  const given = new Map(new URLSearchParams(text.replace(/^#/, "")));
  for (const key of given.keys()) {
    if (!KEYS.has(key)) throw new Error(`the link has a part ${JSON.stringify(key)}, which is unknown`);
  }
  const read = <T>(key: string, usual: T, parse: (value: string) => T): T => {
    const value = given.get(key);
    if (value === undefined) return usual;
    try {
      return parse(value);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(`in the link, ${key}=${shortened(value)}: ${why}`);
    }
  };
  const point = (prefix: string, usual: Point): Point => {
    const index = read(`${prefix}index`, 0, whole(Number.MAX_SAFE_INTEGER));
    const steps = read(`${prefix}steps`, [], parseSteps);
    const chunks = read(`${prefix}z`, [], parseTurns);
    const z: Latent = {
      seed: read(`${prefix}seed`, usual.z.seed, parseSeed),
      ...(index > 0 && { index }),
      ...(steps.length > 0 && { steps }),
      ...(chunks.length > 0 && { chunks }),
    };
    return { classes: read(`${prefix}class`, usual.classes, parseClasses), z };
  };
  const start = point("", DEFAULT_STATE.point);
  const hasEnd = [...given.keys()].some((key) => key.startsWith(END));
  return {
    point: start,
    end: hasEnd ? point(END, start) : null,
    truncation: read("t", DEFAULT_STATE.truncation, (value) =>
      value === "off" ? null : above0(value),
    ),
    count: read("n", DEFAULT_STATE.count, whole(MAX_COUNT, 1)),
    view: read("view", DEFAULT_STATE.view, parseView),
    stepSize: read("size", DEFAULT_STATE.stepSize, above0),
    litter: read("litter", DEFAULT_STATE.litter, whole(1_000_000)),
    modelId: read<string | null>("m", null, (value) => {
      if (/^[0-9a-f]{8,64}$/.test(value)) return value;
      throw new Error("give 8 to 64 digits of a SHA-256 in lower-case hex");
    }),
    model: read<string | null>("model", null, parseAddress),
  };
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

function parseSteps(text: string): Step[] {
  const steps = text.split(",").map((part) => {
    const [seed = "", size = "", ...rest] = part.split(":");
    if (rest.length > 0) throw new Error("give steps as seed:size,seed:size");
    return { seed: parseSeed(seed), size: number(size) };
  });
  if (steps.length <= MAX_STEPS) return steps;
  throw new Error(`${steps.length} steps are given, ${MAX_STEPS} at most are drawn`);
}

function parseTurns(text: string): number[] {
  const turns = text.split(",").map(number);
  if (turns.length > MAX_CHUNKS) throw new Error(`${turns.length} chunks are turned, ${MAX_CHUNKS} at most`);
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
  if (!URL.canParse(text)) throw new Error("give a full address, such as https://example.org/model.safetensors");
  const url = new URL(text);
  const here = globalThis.location?.origin;
  if (url.protocol === "https:" || url.origin === here) return url.href;
  throw new Error("models come over https, or from this page's own server");
}
