/** What the page and its worker say to each other. */

export type Backend = "cpu" | "webgpu";

/** What a truncation means: the paper's, TF-Hub's, or a standard deviation (see the core's `truncation.rs`). */
export type TruncationKind = "resampling" | "scaled_truncated_normal" | "scaled_normal";

/** A model, as far as a page shows it. */
export interface ModelInfo {
  classNames: string[];
  /** Side of an image in pixels. */
  resolution: number;
  truncationKind: TruncationKind;
  /** Smallest and largest truncation beside off; `null` where the latents cannot be truncated. */
  truncationRange: [number, number] | null;
  /** Truncations with statistics of their own; `null` is off. */
  truncations: (number | null)[];
  dataset: string;
  recipe: string;
  imagesSeen: number;
}

export interface SampleRequest {
  classIndex: number;
  seed: bigint;
  /** By the model's kind, e.g. every |z| at most this; `null` is off. */
  truncation: number | null;
  count: number;
}

export interface Samples {
  /** Side in pixels. */
  side: number;
  count: number;
  /** RGBA bytes of all images, one after another. */
  rgba: Uint8ClampedArray<ArrayBuffer>;
  /** Time in the worker, reading from the device included. */
  elapsedMs: number;
}

/** The device against the CPU backend, on a tiny generator. */
export interface SelfTest {
  max_difference: number | null;
  range: [number, number];
  agrees: boolean;
}

/** Requests by name: what goes in and what comes out. */
export interface Calls {
  open: { in: { backend: Backend }; out: null };
  selfTest: { in: null; out: SelfTest };
  load: { in: { file: Uint8Array<ArrayBuffer> }; out: ModelInfo };
  sample: { in: SampleRequest; out: Samples };
  trainCheck: { in: { seed: bigint; steps: number }; out: Uint8Array };
}

export type CallName = keyof Calls;

export type ToWorker = {
  [K in CallName]: { id: number; call: K; input: Calls[K]["in"] };
}[CallName];

export type FromWorker =
  | { id: number; value: Calls[CallName]["out"] }
  | { id: number; error: string }
  /** The worker cannot be used any more. */
  | { fault: string };
