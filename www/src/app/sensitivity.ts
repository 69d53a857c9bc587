/** How much a picture changes with a step away from it. */

import type { Generator, Picture, Truncation } from "../lib/index.js";
import { keyOf } from "./drawn.js";
import { childOf, parentShot } from "./scene.js";
import type { State } from "./state.js";

/** Measured sizes of a step, in quarter turns. The largest makes children that are independent of their parent. */
const SIZES = [0.25, 0.5, 0.75, 1];
/**
 * Directions in which they are measured: pictures of one parent change up to three times as much in one direction as
 * in another. A slow model is measured in fewer.
 */
const DIRECTIONS = { least: 2, most: 8 };
const SLOW_MS = 800;
/** Parents that are remembered. */
const MOST_PARENTS = 64;
/** A size in a link has as many decimals. */
const PER_QUARTER_TURN = 1000;

/**
 * The mean root mean square distance of a parent's pixels to its children's, by the size of their step, as a share of
 * that between independent samples: 0 is the parent itself, and about 1 a stranger of the same classes.
 */
export class Sensitivity {
  /** Pairs of size and share, both rising. */
  readonly #curve: readonly (readonly [number, number])[];

  constructor(curve: readonly (readonly [number, number])[]) {
    let most = 0;
    this.#curve = curve.map(([size, share]) => [size, (most = Math.max(most, share))]);
  }

  /** How much children change by steps of a size. */
  shareOf(size: number): number {
    return along(this.#curve, size);
  }

  /** The size of the steps by which children change so much; the largest if none is enough. */
  sizeFor(share: number): number {
    const size = along(this.#curve.map(([size, reached]) => [reached, size]), share);
    return Math.max(1, Math.round(size * PER_QUARTER_TURN)) / PER_QUARTER_TURN;
  }
}

/** Linear interpolation of rising pairs; beyond the last, its value. */
function along(pairs: readonly (readonly [number, number])[], at: number): number {
  const next = pairs.findIndex(([x]) => x >= at);
  const [x1, y1] = pairs.at(next) ?? [0, 0];
  const [x0, y0] = pairs[Math.max(0, next - 1)] ?? [0, 0];
  return next < 0 || x1 === x0 ? y1 : y0 + ((at - x0) / (x1 - x0)) * (y1 - y0);
}

/** Measures with a generator, and remembers. */
export class SensitivityMeter {
  readonly #known = new Map<string, Promise<Sensitivity>>();
  #generator: Generator | undefined;

  set generator(generator: Generator) {
    this.#generator = generator;
    this.#known.clear();
  }

  /** @throws if the generator fails, or is disposed of meanwhile. */
  of(parent: State): Promise<Sensitivity> {
    const generator = this.#generator;
    if (!generator) return Promise.reject(new Error("there is no model yet"));
    const { picture, truncation } = parentShot(parent);
    const key = keyOf({ picture, truncation });
    const known = this.#known.get(key) ?? measure(generator, parent, picture, truncation);
    // the least recently used is the first
    this.#known.delete(key);
    this.#known.set(key, known);
    known.catch(() => this.#known.delete(key));
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= MOST_PARENTS) break;
      this.#known.delete(oldest);
    }
    return known;
  }
}

async function measure(
  generator: Generator,
  parent: State,
  picture: Picture,
  truncation: Truncation,
): Promise<Sensitivity> {
  const draw = async (pictures: Picture[]) => {
    const { samples } = await generator.draw({ pictures, truncation });
    return samples.map(({ image }) => image.data);
  };
  const start = performance.now();
  const [own] = await draw([picture]);
  if (!own) throw new Error("the parent was not drawn");
  const strangers = [own];
  const sums = SIZES.map(() => 0);
  for (let child = 0; child < DIRECTIONS.most; child++) {
    if (child >= DIRECTIONS.least && performance.now() - start > SLOW_MS) break;
    const steps = SIZES.map((stepSize) => ({
      from: childOf({ ...parent, stepSize, litter: 0 }, child).point,
    }));
    const drawn = await draw(steps);
    drawn.forEach((image, at) => (sums[at] = (sums[at] ?? 0) + distance(image, own)));
    const stranger = drawn.at(-1);
    if (stranger) strangers.push(stranger);
  }
  const directions = strangers.length - 1;
  const whole = meanDistance(strangers);
  // a model that draws one picture only cannot be told to draw others
  const shares = sums.map((sum, at) => (whole > 0 ? sum / directions / whole : (SIZES[at] ?? 0)));
  return new Sensitivity([[0, 0], ...SIZES.map((size, at): [number, number] => [size, shares[at] ?? 0])]);
}

/** Between all pairs. */
function meanDistance(images: Uint8ClampedArray[]): number {
  const all = images.flatMap((one, at) => images.slice(at + 1).map((other) => distance(one, other)));
  return all.reduce((sum, each) => sum + each, 0) / all.length;
}

/** Root mean square over all channels, alpha too, which is full: only shares of these are used. */
function distance(a: Uint8ClampedArray, b: Uint8ClampedArray): number {
  let squares = 0;
  for (let at = 0; at < a.length; at++) squares += ((a[at] ?? 0) - (b[at] ?? 0)) ** 2;
  return Math.sqrt(squares / a.length);
}
