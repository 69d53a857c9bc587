/** The pictures of each view, as requests. Nothing is drawn here. */

import type { ModelInfo, Picture, Point, Step, Truncation } from "../lib/index.js";
import { crosses } from "./crossing.js";
import { describe, describeClasses } from "./describe.js";
import { encode } from "./link.js";
import { classesOf, isCross, plain } from "./points.js";
import {
  DEFAULT_STATE,
  endOf,
  firstSample,
  fit,
  mateOf,
  MAX_COUNT,
  MOST_CHIPS,
  type State,
  withClasses,
  withLatent,
  withSample,
} from "./state.js";

/** A picture that a view wants. */
export interface Shot {
  picture: Picture;
  truncation: Truncation;
  alt: string;
  /** Shown under the picture. */
  caption?: string;
  /** The state stored in a saved copy. */
  link: string;
}

/** The paper's row (BigGAN, figure 2). */
const TRUNCATION_ROW = [2, 1.5, 1, 0.5, 0.04];

/** Classes of an overview: all, or of many as many as pictures are asked for. */
export function overview({ count, point }: State, { classNames }: ModelInfo): number[] {
  const all = classNames.length;
  if (all <= MOST_CHIPS) return classNames.map((_, index) => index);
  const shown = Math.min(count, all);
  // spread over the list; another seed shows others
  const first = Number(BigInt(point.z.seed) % BigInt(all));
  return Array.from({ length: shown }, (_, at) => (first + Math.floor((at * all) / shown)) % all);
}

/** The states that the samples stand for, before any breeding: of each class, or of one. */
export function sampleStates(state: State, model: ModelInfo): State[] {
  const { index = 0 } = state.point.z;
  if (state.everyClass) {
    const sample = withSample(state, { index });
    return overview(state, model).map((one) => withClasses(sample, [{ class: one, weight: 1 }]));
  }
  const first = firstSample(state);
  return Array.from({ length: state.count }, (_, place) => withSample(state, { index: first + place }));
}

export const samples = (state: State, model: ModelInfo): Shot[] =>
  sampleStates(state, model).map((at) => shotOf(at.point, { ...at, everyClass: state.everyClass }, model));

/** A picture of each class, the same whatever the state. */
export const thumbnails = (model: ModelInfo): Shot[] =>
  samples(fit(DEFAULT_STATE, model), model).map((shot, index) => ({
    ...shot,
    alt: "",
    caption: model.classNames[index] ?? "",
  }));

/** The selected picture, and end B. */
export function picked(state: State, model: ModelInfo): Shot[] {
  const points = state.end ? [state.point, state.end] : [state.point];
  return points.map((point) => shotOf(point, { ...state, point }, model));
}

/** Steps of the interpolation from the selected picture to end B, both included. */
export function way(state: State, model: ModelInfo): Shot[] {
  const [from, to] = [plain(state.point), plain(endOf(state))];
  const count = Math.max(2, state.count);
  const link = encode({ ...state, view: "between" });
  return Array.from({ length: count }, (_, index) => {
    const at = index / (count - 1);
    const nearer = describe(at < 0.5 ? from : to, state.truncation, model.classNames);
    const alt =
      at === 0 || at === 1 ? nearer : `${Math.round(100 * at)} % of the way, near ${nearer}`;
    return { picture: { from, to: { point: to, at } }, truncation: state.truncation, alt, link };
  });
}

/** The truncations of the paper's row that the model has; a single picture if it has none. */
export function truncationRow({ truncationRange }: ModelInfo): Truncation[] {
  if (truncationRange === null) return [null];
  const [least, most] = truncationRange;
  return [...new Set(TRUNCATION_ROW.map((t) => Math.min(Math.max(t, least), most)))];
}

/** One z under each truncation. */
export function truncations(state: State, model: ModelInfo): Shot[] {
  return truncationRow(model).map((truncation) => ({
    ...shotOf(state.point, { ...state, truncation }, model),
    caption: truncation === null ? "off" : String(truncation),
  }));
}

/** Stands for a size that is still to be found: pictures that are announced, but not drawn. */
const UNKNOWN_STEP = 0.25;

/** The step to a child. Its seed depends only on the litter and the child, so that a link reproduces it. */
const childStep = (state: State, child: number) => ({
  seed: BigInt(state.litter * MAX_COUNT + child + 1),
  size: state.stepSize ?? UNKNOWN_STEP,
});

/** The picture that breeding starts from. */
export const parentShot = ({ point, truncation }: State): Pick<Shot, "picture" | "truncation"> => ({
  picture: { from: plain(point) },
  truncation,
});

export const childOf = (state: State, child: number): State => withStep(state, childStep(state, child));

/** The child of a step as the parent: it needs steps of another size, and is crossed only when it is asked for. */
const withStep = (state: State, step: Step): State => ({
  ...withLatent(state, { steps: [...(state.point.z.steps ?? []), step] }),
  cross: DEFAULT_STATE.cross,
  stepSize: DEFAULT_STATE.stepSize,
  litter: DEFAULT_STATE.litter,
});

/** The states that the children stand for: crosses with the mate, or a random step away. None of parents that are alike. */
export function childStates(state: State, model: ModelInfo): State[] {
  const { point, litter, count } = state;
  return state.cross
    ? crosses(point, mateOf(state), model.chunks, litter, count).map((step) => withStep(state, step))
    : Array.from({ length: count }, (_, child) => childOf(state, child));
}

export function children(state: State, model: ModelInfo): Shot[] {
  return childStates(state, model).map((at, child) => {
    const shot = shotOf(at.point, at, model);
    return { ...shot, alt: `Child ${child + 1} of ${shot.alt}` };
  });
}

/** The state at an ancestor: 0 is the sample that breeding started from. */
export const ancestorOf = (state: State, generation: number): State => ({
  ...withLatent(state, { steps: (state.point.z.steps ?? []).slice(0, generation) }),
  cross: DEFAULT_STATE.cross,
  stepSize: DEFAULT_STATE.stepSize,
  litter: DEFAULT_STATE.litter,
});

/** From the first ancestor to the parent; under a cross, its mate. */
export function lineage(state: State, model: ModelInfo): Shot[] {
  return Array.from({ length: (state.point.z.steps ?? []).length + 1 }, (_, generation) => {
    const at = ancestorOf(state, generation);
    const shot = shotOf(at.point, at, model);
    const step = at.point.z.steps?.at(-1);
    const mate = step && isCross(step) ? describeClasses(classesOf(step.mate), model.classNames) : undefined;
    return {
      ...shot,
      alt: `Generation ${generation} of ${shot.alt}`,
      ...(mate !== undefined && { caption: `× ${mate}` }),
    };
  });
}

/** The other parent. */
export function mate(state: State, model: ModelInfo): Shot {
  const point = mateOf(state);
  const shot = shotOf(point, { ...state, point, cross: false }, model);
  return { ...shot, alt: `The other parent, ${shot.alt}`, caption: "B" };
}

const shotOf = (point: Point, state: State, model: ModelInfo): Shot => ({
  picture: { from: plain(point) },
  truncation: state.truncation,
  alt: describe(point, state.truncation, model.classNames),
  link: encode(state),
});
