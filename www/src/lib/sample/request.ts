/** Requests, validated and converted to the core's format. */

import type {
  ClassWeight,
  InterpolateRequest,
  Latent,
  ModelInfo,
  Picture,
  Point,
  SampleRequest,
  Step,
  Truncation,
} from "./api.js";
import type { Seed } from "../base/api.js";
import { BigGanError } from "../base/errors.js";
import { refuse as refuseOption } from "../base/options.js";
import { classesOfText, NoClass } from "./class-names.js";

/** The core's `MAX_STEPS`. */
const MAX_STEPS = 256;
const MAX_SEED = 2n ** 64n - 1n;

function refuse(field: string, found: unknown, remedy: string, what?: string): never {
  return refuseOption(field, found, remedy, "bad-request", what);
}

/** The pictures of one class or mix, or of each class of a list, class after class. */
export function picturesOf(request: SampleRequest, model: ModelInfo): Picture[] {
  const { count = 1, first = 0, seed = 0, steps, chunks } = request;
  const all = classesOf(request.class, model);
  checkCount("count", count, model);
  if (all.length * count > model.maxCount) {
    const most = Math.floor(model.maxCount / all.length);
    refuse("count", count, `1 to ${most}: ${all.length} classes are drawn, and ${model.maxCount} pictures at most`);
  }
  if (!Number.isSafeInteger(first) || first < 0)
    refuse("first", first, "a whole number, 0 or more");
  const latents = Array.from({ length: count }, (_, place) => {
    const z: Latent = { seed, index: first + place };
    if (steps?.length) z.steps = steps;
    if (chunks?.length) z.chunks = chunks;
    return z;
  });
  // they differ only in their index
  checkLatent("", latents[0]!, model);
  return all.flatMap((classes) => latents.map((z): Picture => ({ from: { classes, z } })));
}

/** The pictures of an interpolation, both ends included. */
export function waypointsOf(request: InterpolateRequest, model: ModelInfo): Picture[] {
  const { from, to, count } = request;
  checkCount("count", count, model);
  if (count < 2) refuse("count", count, "2 or more, for both ends");
  checkPoint("from.", from, model);
  checkPoint("to.", to, model);
  return Array.from({ length: count }, (_, place) => ({
    from,
    to: { point: to, at: place / (count - 1) },
  }));
}

export function checkPictures(pictures: Picture[], model: ModelInfo): void {
  checkCount("pictures.length", pictures.length, model);
  pictures.forEach(({ from, to }, place) => {
    const field = `pictures[${place}].`;
    checkPoint(`${field}from.`, from, model);
    if (!to) return;
    checkPoint(`${field}to.point.`, to.point, model);
    checkPlace(`${field}to.at`, to.at);
  });
}

/** The truncation; the default is off. */
export function checkTruncation(truncation: Truncation | undefined, model: ModelInfo): Truncation {
  if (truncation === null || truncation === undefined) return null;
  const range = model.truncationRange;
  if (!range) refuse("truncation", truncation, "null: this model's latents cannot be truncated");
  const [least, most] = range;
  if (!(truncation >= least && truncation <= most)) {
    refuse("truncation", truncation, `${least} to ${most}, or null for off`);
  }
  return truncation;
}

/** The core's JSON of pictures. */
export const encode = (pictures: Picture[]): string =>
  // JSON numbers are exact only to 2^53; the core also reads digits
  JSON.stringify(pictures, (_, value) => (typeof value === "bigint" ? String(value) : value));

/** What is drawn `count` times each. */
function classesOf(asked: SampleRequest["class"], model: ModelInfo): ClassWeight[][] {
  if (Array.isArray(asked)) {
    checkClasses("class", asked, model);
    return [asked];
  }
  const places = typeof asked === "string" ? placesOf(asked, model) : [asked];
  return places.map((place) => {
    checkClass("class", place, model);
    return [{ class: place, weight: 1 }];
  });
}

function placesOf(text: string, model: ModelInfo): number[] {
  try {
    return classesOfText(text, model);
  } catch (error) {
    if (!(error instanceof NoClass)) throw error;
    throw new BigGanError("bad-request", error.message, { field: "class" });
  }
}

function checkClass(field: string, place: number, { classNames }: ModelInfo): void {
  if (!Number.isInteger(place) || place < 0 || place >= classNames.length) {
    refuse(field, place, `a class from 0 to ${classNames.length - 1}`);
  }
}

function checkClasses(field: string, classes: ClassWeight[], model: ModelInfo): void {
  if (classes.length < 1 || classes.length > model.maxMixed) {
    refuse(`${field}.length`, classes.length, `1 to ${model.maxMixed} classes`);
  }
  let sum = 0;
  classes.forEach((one, place) => {
    checkClass(`${field}[${place}].class`, one.class, model);
    if (!(one.weight >= 0 && Number.isFinite(one.weight))) {
      refuse(`${field}[${place}].weight`, one.weight, "0 or more");
    }
    sum += one.weight;
  });
  if (sum <= 0) refuse(field, sum, "a weight above 0", `the sum of the weights of ${field}`);
}

function checkPoint(field: string, { classes, z }: Point, model: ModelInfo): void {
  checkClasses(`${field}classes`, classes, model);
  checkLatent(`${field}z.`, z, model);
}

function checkLatent(field: string, z: Latent, model: ModelInfo): void {
  const { seed, index = 0, steps = [], chunks = [] } = z;
  checkSeed(`${field}seed`, seed);
  if (!Number.isSafeInteger(index) || index < 0) {
    refuse(`${field}index`, index, "a whole number, 0 or more");
  }
  const all = countSteps(z);
  if (all > MAX_STEPS) {
    refuse(`${field}steps.length`, all, `${MAX_STEPS} at most, those of mates included`);
  }
  steps.forEach((step, place) => checkStep(`${field}steps[${place}].`, step, model));
  checkChunks(`${field}chunks`, chunks, model);
  chunks.forEach((turn, place) => checkTurn(`${field}chunks[${place}]`, turn));
}

/** Steps of a lineage and of those of its mates, no further than above the most: a mate may be its own ancestor. */
function countSteps({ steps = [] }: Latent, before = 0): number {
  let count = before + steps.length;
  for (const step of steps) {
    if (count > MAX_STEPS) break;
    if ("mate" in step) count = countSteps(step.mate.z, count);
  }
  return count;
}

function checkStep(field: string, step: Step, model: ModelInfo): void {
  if ("mate" in step) {
    checkPoint(`${field}mate.`, step.mate, model);
    checkPlace(`${field}classes`, step.classes);
    checkChunks(`${field}chunks`, step.chunks, model);
    step.chunks.forEach((at, place) => checkPlace(`${field}chunks[${place}]`, at));
  } else {
    checkSeed(`${field}seed`, step.seed);
    checkTurn(`${field}size`, step.size);
  }
}

function checkChunks(field: string, chunks: number[], model: ModelInfo): void {
  if (chunks.length > model.chunks) {
    refuse(`${field}.length`, chunks.length, `${model.chunks} at most, as the model has`);
  }
}

function checkSeed(field: string, seed: Seed): void {
  const whole = typeof seed === "bigint" ? seed <= MAX_SEED : Number.isSafeInteger(seed);
  if (!whole || seed < 0) {
    refuse(field, seed, "a whole number from 0 to 2^64 - 1, a bigint where it is 2^53 or more");
  }
}

function checkTurn(field: string, turn: number): void {
  if (!Number.isFinite(turn)) refuse(field, turn, "a number of quarter turns");
}

/** Between two points. */
function checkPlace(field: string, at: number): void {
  if (!(at >= 0 && at <= 1)) refuse(field, at, "0 to 1");
}

function checkCount(field: string, count: number, { maxCount }: ModelInfo): void {
  if (!Number.isInteger(count) || count < 1 || count > maxCount) {
    refuse(field, count, `1 to ${maxCount}`);
  }
}
