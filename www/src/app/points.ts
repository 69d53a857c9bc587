/** Points of latent space with their lineages: what a bred picture is made of. */

import type { ClassWeight, CrossStep, Point, Step } from "../lib/index.js";

export const isCross = (step: Step): step is CrossStep => "mate" in step;

/** A point without edits that change nothing, so that equal pictures are equal requests. */
export function plain({ classes, z: { seed, index = 0, steps = [], chunks = [] } }: Point): Point {
  const turned = chunks.some((turn) => turn !== 0);
  const plainSteps = steps.map((step) => (isCross(step) ? { ...step, mate: plain(step.mate) } : step));
  return {
    // a weight matters only in a mix
    classes: classes.length === 1 ? classes.map((part) => ({ ...part, weight: 1 })) : classes,
    z: { seed, index, ...(steps.length > 0 && { steps: plainSteps }), ...(turned && { chunks }) },
  };
}

/** Equal for points with the same picture. */
export const textOf = (point: Point): string =>
  JSON.stringify(plain(point), (_, value: unknown) => (typeof value === "bigint" ? String(value) : value));

/** A point and all the mates in its lineage. */
export function withMates(point: Point): Point[] {
  const mates = (point.z.steps ?? []).filter(isCross).map(({ mate }) => mate);
  return [point, ...mates.flatMap(withMates)];
}

/** Steps of the lineage and of those of its mates. */
export const countSteps = (point: Point): number =>
  withMates(point).reduce((sum, { z }) => sum + (z.steps?.length ?? 0), 0);

/** The classes after all crosses, with weights that sum to 1: as the core's `Point::class_weights`. */
export function classesOf({ classes, z }: Point): ClassWeight[] {
  let weights = shares(classes);
  for (const step of z.steps ?? []) {
    if (!isCross(step)) continue;
    const mates = shares(classesOf(step.mate));
    const all = new Set([...weights.keys(), ...mates.keys()]);
    const between = (index: number) => {
      const own = weights.get(index) ?? 0;
      return own + step.classes * ((mates.get(index) ?? 0) - own);
    };
    weights = new Map([...all].map((index) => [index, between(index)]));
  }
  return [...weights].filter(([, weight]) => weight > 0).map(([index, weight]) => ({ class: index, weight }));
}

function shares(classes: readonly ClassWeight[]): Map<number, number> {
  const sum = classes.reduce((all, { weight }) => all + weight, 0);
  const found = new Map<number, number>();
  for (const { class: index, weight } of classes) found.set(index, (found.get(index) ?? 0) + weight / sum);
  return found;
}
