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

/** How a picture becomes an image, as `data.fit` and `data.background` of `native-train`. */
export interface Preparation {
  /** The central square (the default), or all of it in a square of the background. */
  fit: "crop" | "pad";
  /** What is transparent becomes this colour: six hexadecimal digits, `"#ffffff"` by default. */
  background: string;
}

/** A user's picture, and what is to become of it. */
export interface PictureRequest extends Preparation {
  file: Blob;
  resolution: number;
}

/** Facts about a picture, before it is resized. */
export interface PictureTraits {
  /** Width and height, upright. */
  size: [number, number];
  /** Whether all pixels have equal red, green and blue; whether all pixels are equal. */
  grey: boolean;
  constant: boolean;
  /** The largest value of a channel. */
  largest: number;
  /** Whether there is a pixel that is not opaque. */
  transparent: boolean;
  /** Bits in use, of 16 bits a value; null with fewer. */
  bitsOf16: number | null;
  animated: boolean;
  cmyk: boolean;
  /** Its colour profile, if that is not sRGB. */
  profile: string | null;
}

/** A user's picture, resized for training. */
export interface DecodedPicture {
  /** RGB bytes, row by row (under the name by which a worker hands its bytes over). */
  rgba: Uint8ClampedArray<ArrayBuffer>;
  traits: PictureTraits;
  /** SHA-256 of size and pixels. */
  digest: string;
}

export interface TrainCalls extends CommonCalls {
  need(size: { recipe: string; resolution: number; classes: number }): Promise<TrainingNeed>;
  start(from: {
    data: TrainingData;
    recipe: string;
    networks: Blob | null;
    checkpoint: Blob | null;
  }): Promise<TrainCounters>;
  step(which: Which): Promise<StepReport & TrainCounters>;
  look(size: { perClass: number; scored: number }): Promise<Seen>;
  save(): Promise<Blob>;
  load(checkpoint: Blob): Promise<TrainCounters>;
  exportModel(): Promise<Blob>;
  packedImages(): Promise<Blob>;
}

/** Answered before an engine is opened. */
export interface PictureCalls {
  /** See `KindOf`. */
  kindOfPicture(file: Blob): Promise<string | null>;
  decodePicture(picture: PictureRequest): Promise<DecodedPicture>;
}
