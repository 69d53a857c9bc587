/** The state of the page: everything that a link holds. */

import type { ModelInfo, Point, Truncation } from "../lib/index.js";
import { isCross, withMates } from "./points.js";

export const VIEWS = ["samples", "between", "truncations", "breeding"] as const;
export type View = (typeof VIEWS)[number];

export interface State {
  /** Address of a model; `null` is the one that comes with the page. */
  readonly model: string | null;
  /** First digits of the SHA-256 of the model that the state was made with; `null` is any. */
  readonly modelId: string | null;
  readonly view: View;
  /** The point that the controls edit: the selected sample, the start of an interpolation, the parent. */
  readonly point: Point;
  /** Whether the samples are one of each class, or as many as asked for of the point's. */
  readonly everyClass: boolean;
  readonly truncation: Truncation;
  /** Pictures in the view. */
  readonly count: number;
  /** End B of the interpolation, and the other parent; `null` is the next sample of the same seed. */
  readonly end: Point | null;
  /** Whether the children are crosses with B. */
  readonly cross: boolean;
  /** Of a child from its parent, in quarter turns; `null` until one is found by which children change visibly. */
  readonly stepSize: number | null;
  /** Number of the litter: which children of the parent. */
  readonly litter: number;
}

/** Most pictures at once: more would be too small to see. */
export const MAX_COUNT = 64;
/** Up to so many classes are shown at once; above that they are searched. */
export const MOST_CHIPS = 16;
/** Most steps in a lineage, as in the core. */
export const MAX_STEPS = 256;
/** Digits of a model's SHA-256 that a link carries. */
export const MODEL_ID_DIGITS = 16;

export const DEFAULT_STATE: State = {
  model: null,
  modelId: null,
  view: "samples",
  point: { classes: [{ class: 0, weight: 1 }], z: { seed: 1n } },
  everyClass: true,
  truncation: 1,
  count: 16,
  end: null,
  cross: false,
  stepSize: null,
  litter: 0,
};

/** A change of the current point's latents. */
export const withLatent = (state: State, change: Partial<Point["z"]>): State => ({
  ...state,
  point: { ...state.point, z: { ...state.point.z, ...change } },
});

/** A change of the current point's classes, which the classes of mates no longer change. */
export function withClasses(state: State, classes: Point["classes"]): State {
  const { z } = state.point;
  const steps = z.steps?.map((step) => (isCross(step) ? { ...step, classes: 0 } : step));
  return { ...state, point: { classes, z: { ...z, ...(steps && { steps }) } }, everyClass: false };
}

/** Another sample, without breeding. */
export const withSample = (state: State, z: { seed?: bigint; index: number }): State => ({
  ...withLatent(state, { ...z, steps: [] }),
  litter: DEFAULT_STATE.litter,
});

/** Number of the first sample in view: they are shown `count` at a time. */
export function firstSample({ point, count }: State): number {
  const index = point.z.index ?? 0;
  return index - (index % count);
}

/** End B of the interpolation, by default the next sample. */
export function endOf({ end, point }: State): Point {
  return end ?? { ...point, z: { ...point.z, index: (point.z.index ?? 0) + 1 } };
}

/** The other parent of crosses: B, by default the next sample, unbred, for a lineage would double with each cross. */
export function mateOf({ end, point: { classes, z } }: State): Point {
  return end ?? { classes, z: { seed: z.seed, index: (z.index ?? 0) + 1 } };
}

/** Most pictures of a view. */
export const mostCount = ({ maxCount }: ModelInfo): number => Math.min(MAX_COUNT, maxCount);

/** What a model cannot draw in a state, in words; empty if it can draw everything. */
export function misfits(state: State, model: ModelInfo): string[] {
  const wrong: string[] = [];
  const classes = model.classNames.length;
  for (const point of [state.point, endOf(state)].flatMap(withMates)) {
    for (const { class: index } of point.classes) {
      if (index >= classes) {
        wrong.push(`class ${index} is asked for; the model has ${classes}, counted from 0`);
      }
    }
    if (point.classes.length > model.maxMixed) {
      wrong.push(`${point.classes.length} classes are mixed; the model mixes ${model.maxMixed} at most`);
    }
    const chunks = point.z.chunks?.length ?? 0;
    if (chunks > model.chunks) {
      wrong.push(`${chunks} chunks of z are changed; the model has ${model.chunks}`);
    }
    for (const { chunks: crossed } of (point.z.steps ?? []).filter(isCross)) {
      if (crossed.length > model.chunks) {
        wrong.push(`${crossed.length} chunks of z are crossed; the model has ${model.chunks}`);
      }
    }
  }
  const { truncation } = state;
  const most = mostCount(model);
  if (state.count > most) wrong.push(`${state.count} pictures are asked for; ${most} at most are drawn`);
  if (truncation !== null) {
    const range = model.truncationRange;
    if (range === null) {
      wrong.push(`truncation ${truncation} is asked for; the latents of the model cannot be truncated`);
    } else if (truncation < range[0] || truncation > range[1]) {
      wrong.push(`truncation ${truncation} is out of the model's range, ${range[0]} to ${range[1]}`);
    }
  }
  return [...new Set(wrong)];
}

/** The nearest state that a model can draw. */
export function fit(state: State, model: ModelInfo): State {
  const fitted = (point: Point): Point => {
    const classes = point.classes
      .filter(({ class: index }) => index < model.classNames.length)
      .slice(0, model.maxMixed);
    const chunks = point.z.chunks?.slice(0, model.chunks);
    const steps = point.z.steps?.map((step) =>
      isCross(step)
        ? { ...step, mate: fitted(step.mate), chunks: step.chunks.slice(0, model.chunks) }
        : step,
    );
    return {
      classes: classes.length > 0 ? classes : [{ class: 0, weight: 1 }],
      z: { ...point.z, ...(steps && { steps }), ...(chunks && { chunks }) },
    };
  };
  const { truncation } = state;
  const range = model.truncationRange;
  return {
    ...state,
    point: fitted(state.point),
    everyClass: state.everyClass && model.classNames.length > 1,
    end: state.end && fitted(state.end),
    truncation:
      truncation === null || range === null
        ? null
        : Math.min(Math.max(truncation, range[0]), range[1]),
    count: Math.min(state.count, mostCount(model)),
  };
}
