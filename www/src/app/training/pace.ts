/** How many steps to take between two probes of the networks, so that probes are frequent and cost little. */

/** Probes take at most this share of the time. */
const LOOK_SHARE = 0.08;
const LEAST_LOOK_INTERVAL_MS = 700;
const MOST_LOOK_INTERVAL_MS = 20_000;
/** Length of a run of steps, which bounds the wait of other requests. */
const RUN_MS = 500;
const MOST_STEPS = 64;
/** Weight of the newest measurement in the average. */
const NEWEST = 0.3;

export class Pace {
  #stepMs: number | undefined;
  #lookMs: number | undefined;
  #lookedAt = -Infinity;

  stepTook(ms: number): void {
    this.#stepMs = average(this.#stepMs, ms);
  }

  lookTook(ms: number, now: number): void {
    this.#lookMs = average(this.#lookMs, ms);
    this.#lookedAt = now;
  }

  /** Steps for the next run. */
  get steps(): number {
    if (this.#stepMs === undefined) return 1;
    return Math.min(MOST_STEPS, Math.max(1, Math.round(RUN_MS / this.#stepMs)));
  }

  isLookDue(now: number): boolean {
    const wanted = (this.#lookMs ?? 0) / LOOK_SHARE;
    const interval = Math.min(MOST_LOOK_INTERVAL_MS, Math.max(LEAST_LOOK_INTERVAL_MS, wanted));
    return now - this.#lookedAt >= interval;
  }
}

const average = (old: number | undefined, ms: number) => (old === undefined ? ms : old + NEWEST * (ms - old));
