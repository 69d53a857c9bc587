/** The interface of training: what goes in, what comes out. Nothing here runs. */

import type { Backend, EngineOptions, Running, Seed } from "../base/api.js";

/** Images of one size with their classes, decoded. */
export interface TrainingData {
  name: string;
  /** Side in pixels: 16, 32 or 64. */
  resolution: 16 | 32 | 64;
  classNames: string[];
  /** Class of each image. */
  labels: Uint16Array;
  /** RGB bytes, image after image, row by row. */
  pixels: Uint8Array;
  /** SHA-256 over names, labels and pixels: a checkpoint continues only with the same images. */
  sha256: string;
}

/** What is trained and how; the core derives its `TrainConfig` from it. */
export interface TrainRecipe {
  /** Channel multiplier of G and of D. */
  width: number;
  zDim: number;
  /** Length of the shared class embedding, by default 64. */
  embedding?: number;
  batchSize: number;
  rateG: number;
  rateD: number;
  dSteps: number;
  /** Strength of the modified orthogonal regularisation. */
  orthogonal: number;
  /** Decay of the average of G; it counts from step `emaStart` on. */
  emaDecay: number;
  emaStart: number;
  /** DiffAugment's operations before D; may be empty. */
  augment: ("flip" | "color" | "translation" | "cutout")[];
  attention: boolean;
  seed: Seed;
}

/** What trained networks dictate of a run that starts from them. */
export interface Networks {
  resolution: TrainingData["resolution"];
  classNames: string[];
  /** Whether there is a D among them: a checkpoint has one, a model has not, and D then starts anew. */
  hasDiscriminator: boolean;
  recipe: Required<Pick<TrainRecipe, "width" | "zDim" | "embedding" | "attention">>;
}

/** Which networks take a step: D's steps and G's, D's alone or G's alone. */
export type Which = "both" | "d" | "g";

/** The measurements of a step. Values of a network that took no step are left out. */
export interface StepReport {
  gStep: number;
  dStep: number;
  imagesSeen: number;
  lossD?: number;
  lossG?: number;
  /** D's mean logit of real images, and of fakes. */
  dReal?: number;
  dFake?: number;
  /** Milliseconds of computing. */
  elapsedMs: number;
}

/** Largest singular value of a layer's raw weight. */
export interface LayerSigma {
  network: "g" | "d";
  layer: string;
  sigma: number;
}

/** An image with D's score. */
export interface Scored {
  image: ImageData;
  class: number;
  /** D's logit: above 0 it takes the image for real. */
  score: number;
}

/** A probe of the networks. */
export interface Look {
  gStep: number;
  /** The average's images, always of the same latents: `perClass` of every class, class after class. */
  grid: { image: ImageData; class: number }[];
  real: Scored[];
  fake: Scored[];
  sigmas: LayerSigma[];
}

export type TrainerPhase = "ready" | "training" | "pausing" | "lost" | "disposed";

export interface TrainerState {
  phase: TrainerPhase;
  gStep: number;
  dStep: number;
  imagesSeen: number;
  recipe: TrainRecipe;
  parametersG: number;
  parametersD: number;
  /** Bytes of the wasm memory. */
  memoryBytes: number;
  running: Running;
}

export type TrainProgress =
  | { phase: "program"; backend: Backend }
  | { phase: "prepare" }
  | { phase: "ready"; state: TrainerState }
  /** After each step. */
  | { phase: "step"; report: StepReport }
  /** The device was lost: training restarts from the trainer's last `save`. */
  | { phase: "restored"; state: TrainerState; lostSteps: number };

export interface TrainerOptions extends EngineOptions {
  data: TrainingData;
  recipe: TrainRecipe;
  /** A checkpoint of `save` to continue from. */
  checkpoint?: Blob;
  /**
   * A model or a checkpoint whose networks the run starts from, with what `networksOf` says of it in the recipe. Classes of
   * the same name are the same; a new one starts as an old one.
   */
  networks?: Blob;
  onProgress?: (progress: TrainProgress) => void;
}

export interface Trainer {
  readonly state: TrainerState;
  /** Takes `n` steps, or fewer if `pause` is called; returns their measurements. */
  step(n: number, which?: Which): Promise<StepReport[]>;
  /** Stops after the current step. */
  pause(): Promise<void>;
  look(request?: { perClass?: number; scored?: number }): Promise<Look>;
  /** A whole checkpoint, which `native-train --resume` reads as well. */
  save(): Promise<Blob>;
  /** Continues from a checkpoint of the same data and networks. */
  load(checkpoint: Blob): Promise<void>;
  /**
   * Goes on with other rates, batch, D steps, regularisation, average or augmentation, from where it stands; a recipe of other
   * networks or another seed is refused, and the run stays as it was.
   */
  amend(recipe: TrainRecipe): Promise<void>;
  /** The averaged generator with its statistics, for the sampler, the element and `native-train sample`. */
  exportModel(): Promise<Blob>;
  /** The images as `train.pack`, which `native-train` needs together with the checkpoint. */
  packedImages(): Promise<Blob>;
  dispose(): void;
}
