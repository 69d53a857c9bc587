/** What the children of two parents have of each. */

import type { CrossStep, Point } from "../lib/index.js";
import { classesOf, isCross, textOf } from "./points.js";

/** Combinations that are tried before finer ones are allowed. */
const TRIES = 32;
/** Places have two decimals, which keeps links short. */
const HUNDREDTHS = 100;
/** A child's class is that of one parent, half way, or that of the other. */
const CLASS_PARTS = 2;

/**
 * A litter of crosses: each child has another combination, and none is a parent. Each chunk is from one parent or the
 * other; a single one, or more children than there are combinations, are in between. Empty if the parents are alike.
 */
export function crosses(parent: Point, mate: Point, chunks: number, litter: number, count: number): CrossStep[] {
  const free = differences(parent, mate, chunks);
  const differ = free.chunks.filter((isFree) => isFree).length;
  if (textOf(parent) === textOf(mate) || (differ === 0 && !free.classes)) return [];
  const places = (at: number) => free.chunks.map((isFree) => (isFree ? at : 0));
  const all = (at: number): CrossStep => ({ mate, classes: free.classes ? at : 0, chunks: places(at) });
  const keyOf = ({ classes, chunks: at }: CrossStep) => [classes, ...at].join();
  const seen = new Set([keyOf(all(0)), keyOf(all(1))]);
  const coarsest = differ === 1 ? count + 1 : 1;
  return Array.from({ length: count }, (_, child) => {
    const random = randomOf(litter, child);
    for (let tries = 0; ; tries++) {
      const finer = Math.floor(tries / TRIES);
      const place = (parts: number) => Math.round((HUNDREDTHS * Math.floor(random() * (parts + 1))) / parts) / HUNDREDTHS;
      const step: CrossStep = {
        mate,
        classes: free.classes ? place(CLASS_PARTS + finer) : 0,
        chunks: free.chunks.map((isFree) => (isFree ? place(coarsest + finer) : 0)),
      };
      if (seen.has(keyOf(step))) continue;
      seen.add(keyOf(step));
      return step;
    }
  });
}

/** In what two parents differ: a parent that was bred from the mate has chunks of it already. */
function differences(parent: Point, mate: Point, chunks: number): { classes: boolean; chunks: boolean[] } {
  let same = Array.from({ length: chunks }, () => false);
  const mateText = textOf(mate);
  for (const step of parent.z.steps ?? []) {
    if (!isCross(step)) {
      same = same.map(() => false);
      continue;
    }
    const isFromMate = textOf(step.mate) === mateText;
    same = same.map((before, chunk) => {
      const at = step.chunks[chunk] ?? 0;
      return at === 0 ? before : isFromMate && (at === 1 || before);
    });
  }
  const weights = (point: Point) => new Map(classesOf(point).map((part) => [part.class, part.weight]));
  const [own, mates] = [weights(parent), weights(mate)];
  const classes = [...own.keys(), ...mates.keys()];
  return {
    classes: classes.some((index) => Math.abs((own.get(index) ?? 0) - (mates.get(index) ?? 0)) > 1e-9),
    chunks: same.map((isSame) => !isSame),
  };
}

/** Numbers from 0 to 1, the same for the same child: Mulberry32, by Tommy Ettinger, which is in the public domain. */
function randomOf(litter: number, child: number): () => number {
  let state = Math.imul(litter + 1, 0x9e3779b1) ^ Math.imul(child + 1, 0x85ebca6b);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
