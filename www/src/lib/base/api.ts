/** What both sides of the package, sampling and training, say of what computes. Nothing here runs. */

/** What computes. */
export type Backend = "cpu" | "webgpu";

/** Where it computes: in a worker, or on the main thread in slices. */
export type Place = "worker" | "main";

/** A seed: a whole number from 0 to 2^64 - 1. */
export type Seed = number | bigint;

/** Why a backend runs: a word for programs. */
export type Reason =
  | "hardware"
  | "forced"
  | "no-webgpu"
  | "no-adapter"
  | "fallback-adapter"
  | "missing-feature"
  | "low-limits"
  | "start-failed"
  | "wrong-numbers"
  | "lost";

/**
 * Why it computes where it does: the page asked for it; the package's own worker; the page is of another
 * origin than the package, so that it cannot start its worker; or the worker could not be started.
 */
export type PlaceReason = "asked" | "own-worker" | "other-origin" | "no-worker";

/** What runs, and why. */
export interface Running {
  backend: Backend;
  reason: Reason;
  /** For people: the second half of "runs on the CPU: ..". */
  sentence: string;
  place: Place;
  placeReason: PlaceReason;
  /** Faults that were survived by starting again. */
  restarts: number;
}

/** Options of what computes, and where. */
export interface EngineOptions {
  /** `auto` (the default) is the GPU where it is real and right, else the CPU. */
  backend?: Backend | "auto";
  /**
   * `auto` (the default) is the package's own worker where the page may start it, else the main thread;
   * `main` is the main thread; a function starts the package's worker for a page of another origin.
   */
  worker?: "auto" | "main" | (() => Worker);
  signal?: AbortSignal;
}
