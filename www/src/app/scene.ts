/** The pictures of each view, as requests. Nothing is drawn here. */

import type { ModelInfo, Picture, Point, Truncation } from "../lib/index.js";
import { describe } from "./describe.js";
import { encode } from "./link.js";
import { DEFAULT_STATE, endOf, MAX_COUNT, type State, withLatent } from "./state.js";

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

/** Samples of the current seed, before any breeding. */
export function samples(state: State, model: ModelInfo): Shot[] {
  return Array.from({ length: state.count }, (_, index) => {
    const at = withLatent(state, { index, steps: [] });
    return shotOf(at.point, at, model);
  });
}

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

/** The step to a child. Its seed depends only on the litter and the child, so that a link reproduces it. */
const childStep = (state: State, child: number) => ({
  seed: BigInt(state.litter * MAX_COUNT + child + 1),
  size: state.stepSize,
});

export const childOf = (state: State, child: number): State => ({
  ...withLatent(state, { steps: [...(state.point.z.steps ?? []), childStep(state, child)] }),
  litter: DEFAULT_STATE.litter,
});

export function children(state: State, model: ModelInfo): Shot[] {
  return Array.from({ length: state.count }, (_, child) => {
    const at = childOf(state, child);
    return shotOf(at.point, at, model);
  });
}

/** The state at an ancestor: 0 is the sample that breeding started from. */
export const ancestorOf = (state: State, generation: number): State => ({
  ...withLatent(state, { steps: (state.point.z.steps ?? []).slice(0, generation) }),
  litter: DEFAULT_STATE.litter,
});

/** From the first ancestor to the parent. */
export function lineage(state: State, model: ModelInfo): Shot[] {
  return Array.from({ length: (state.point.z.steps ?? []).length + 1 }, (_, generation) => {
    const at = ancestorOf(state, generation);
    return shotOf(at.point, at, model);
  });
}

/** A point without edits that change nothing, so that equal pictures are equal requests. */
function plain({ classes, z: { seed, index = 0, steps = [], chunks = [] } }: Point): Point {
  const turned = chunks.some((turn) => turn !== 0);
  return {
    // a weight matters only in a mix
    classes: classes.length === 1 ? classes.map((part) => ({ ...part, weight: 1 })) : classes,
    z: { seed, index, ...(steps.length > 0 && { steps }), ...(turned && { chunks }) },
  };
}

const shotOf = (point: Point, state: State, model: ModelInfo): Shot => ({
  picture: { from: plain(point) },
  truncation: state.truncation,
  alt: describe(point, state.truncation, model.classNames),
  link: encode(state),
});
