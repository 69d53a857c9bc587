/** What is asked of a training engine. */

import type { StepReport, TrainingData, Which } from "./api.js";

/** What a training needs, before anything is built: the core's `TrainingNeed`. */
export interface TrainingNeed {
  parametersG: number;
  parametersD: number;
  weightBytes: number;
  mapBytes: number;
  largestTensorBytes: number;
}

/** Counters of a training, and the wasm memory now. */
export interface TrainCounters {
  gStep: number;
  dStep: number;
  imagesSeen: number;
  memoryBytes: number;
}

/** Classes of images, and D's logits of them. */
interface Judged {
  classes: number[];
  scores: number[];
}

/** A look, whose images stand one after another in `rgba`: grid, reals, fakes. */
export interface Seen {
  grid: Judged;
  real: Judged;
  fake: Judged;
  sigmas: Record<string, number>;
  side: number;
  rgba: Uint8ClampedArray<ArrayBuffer>;
  memoryBytes: number;
}

/** A picture of a person at the size of a training. */
export interface DecodedPicture {
  /** RGB bytes, row by row (under the name by which a worker hands its bytes over). */
  rgba: Uint8ClampedArray<ArrayBuffer>;
  /** Width and height before resizing. */
  size: [number, number];
  /** Whether all pixels have equal red, green and blue; whether all pixels are equal. */
  grey: boolean;
  constant: boolean;
  /** SHA-256 of size and pixels, empty where the browser has no hashes. */
  digest: string;
}

/** Requests by name, in the training builds' worker only. */
export interface TrainCalls {
  trainCheck: { in: { seed: bigint; steps: number }; out: Uint8Array<ArrayBuffer> };
  trainNeed: { in: { recipe: string; resolution: number; classes: number }; out: TrainingNeed };
  trainStart: {
    in: { data: TrainingData; recipe: string; checkpoint: Blob | null };
    out: TrainCounters;
  };
  trainStep: { in: { which: Which }; out: StepReport & TrainCounters };
  trainLook: { in: { perClass: number; scored: number }; out: Seen };
  trainSave: { in: null; out: Blob };
  trainLoad: { in: { checkpoint: Blob }; out: TrainCounters };
  trainExport: { in: null; out: Blob };
  trainPack: { in: null; out: Blob };
  /** Needs no program: the worker decodes while nothing is opened. */
  decodePicture: { in: { file: Blob; resolution: number }; out: DecodedPicture };
}
