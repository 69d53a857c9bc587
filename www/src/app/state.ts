/** The state of the page: everything that a link holds. */

import type { ModelInfo, Point, Truncation } from "../lib/index.js";

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
  readonly truncation: Truncation;
  /** Pictures in the view. */
  readonly count: number;
  /** End B of the interpolation; `null` is the next sample of the same seed. */
  readonly end: Point | null;
  /** Of a child from its parent, in quarter turns. */
  readonly stepSize: number;
  /** Number of the litter: which children of the parent. */
  readonly litter: number;
}

/** Most pictures at once: more would be too small to see. */
export const MAX_COUNT = 64;
/** Most steps in a lineage, as in the core. */
export const MAX_STEPS = 256;
/** Digits of a model's SHA-256 that a link carries. */
export const MODEL_ID_DIGITS = 16;

export const DEFAULT_STATE: State = {
  model: null,
  modelId: null,
  view: "samples",
  point: { classes: [{ class: 0, weight: 1 }], z: { seed: 1n } },
  truncation: 1,
  count: 16,
  end: null,
  stepSize: 0.25,
  litter: 0,
};

/** A change of the current point's latents. */
export const withLatent = (state: State, change: Partial<Point["z"]>): State => ({
  ...state,
  point: { ...state.point, z: { ...state.point.z, ...change } },
});

/** End B of the interpolation, by default the next sample. */
export function endOf({ end, point }: State): Point {
  return end ?? { ...point, z: { ...point.z, index: (point.z.index ?? 0) + 1 } };
}

/** What a model cannot draw in a state, in words; empty if it can draw everything. */
export function misfits(state: State, model: ModelInfo): string[] {
  const wrong: string[] = [];
  const classes = model.classNames.length;
  for (const point of [state.point, endOf(state)]) {
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
  }
  const { truncation } = state;
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
    return {
      classes: classes.length > 0 ? classes : [{ class: 0, weight: 1 }],
      z: { ...point.z, ...(chunks && { chunks }) },
    };
  };
  const { truncation } = state;
  const range = model.truncationRange;
  return {
    ...state,
    point: fitted(state.point),
    end: state.end && fitted(state.end),
    truncation:
      truncation === null || range === null
        ? null
        : Math.min(Math.max(truncation, range[0]), range[1]),
    count: Math.min(state.count, MAX_COUNT, model.maxCount),
  };
}
