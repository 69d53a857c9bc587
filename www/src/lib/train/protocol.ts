/** The calls to an engine that trains. */

import type { CommonCalls } from "../base/protocol.js";
import type { StepReport, TrainingData, Which } from "./api.js";

/** The memory that a run needs, before anything is built: the core's `Cost`. */
export interface TrainingNeed {
  parametersG: number;
  parametersD: number;
  weightBytes: number;
  mapBytes: number;
  largestTensorBytes: number;
}

/** Counters of a run, and the current wasm memory. */
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

/** A probe, whose images are concatenated in `rgba`: grid, reals, fakes. */
export interface Seen {
  grid: Judged;
  real: Judged;
  fake: Judged;
  sigmas: Record<string, number>;
  side: number;
  rgba: Uint8ClampedArray<ArrayBuffer>;
}

/** A user's picture, and its target size. */
export interface PictureRequest {
  file: Blob;
  resolution: number;
}

/** A user's picture, resized for training. */
export interface DecodedPicture {
  /** RGB bytes, row by row (under the name by which a worker hands its bytes over). */
  rgba: Uint8ClampedArray<ArrayBuffer>;
  /** Width and height before resizing. */
  size: [number, number];
  /** Whether all pixels have equal red, green and blue; whether all pixels are equal. */
  grey: boolean;
  constant: boolean;
  /** SHA-256 of size and pixels; empty if the browser has no hashes. */
  digest: string;
}

export interface TrainCalls extends CommonCalls {
  need(size: { recipe: string; resolution: number; classes: number }): Promise<TrainingNeed>;
  start(from: { data: TrainingData; recipe: string; checkpoint: Blob | null }): Promise<TrainCounters>;
  step(which: Which): Promise<StepReport & TrainCounters>;
  look(size: { perClass: number; scored: number }): Promise<Seen>;
  save(): Promise<Blob>;
  load(checkpoint: Blob): Promise<TrainCounters>;
  exportModel(): Promise<Blob>;
  packedImages(): Promise<Blob>;
}

/** Answered before an engine is opened. */
export interface PictureCalls {
  decodePicture(picture: PictureRequest): Promise<DecodedPicture>;
}
