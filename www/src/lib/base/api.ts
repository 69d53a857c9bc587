/** Types that sampling and training share, about what computes. Nothing here runs. */

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
 * Why it computes where it does: the page chose it; the package's own worker; the page has another
 * origin than the package, and its policy forbids a worker that imports the package's; or the worker could not be started.
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
  /** Number of restarts after faults. */
  restarts: number;
}

/** Options for the backend and the place. */
export interface EngineOptions {
  /** `auto` (the default) is the GPU if it is hardware and computes correctly, otherwise the CPU. */
  backend?: Backend | "auto";
  /**
   * `auto` (the default) is the package's own worker if the page may start it, otherwise the main thread;
   * `main` is the main thread; a function starts the package's worker for a page of another origin.
   */
  worker?: "auto" | "main" | (() => Worker);
  signal?: AbortSignal;
}
