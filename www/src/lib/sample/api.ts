/** The interface of sampling: what goes in, what comes out. Nothing here runs. */

import type { Backend, EngineOptions, Running, Seed } from "../base/api.js";

/** A class of a mix. Weights are divided by their sum. */
export interface ClassWeight {
  class: number;
  weight: number;
}

/** A small random step from a picture to its child: a turn of z towards a draw of its own seed. */
export interface Step {
  seed: Seed;
  /** In quarter turns: 0.1 is a sibling, 1 a stranger. */
  size: number;
}

/** A point of latent space: sample `index` of a seed, and what was done to it. */
export interface Latent {
  seed: Seed;
  index?: number;
  /** The lineage of a bred picture. */
  steps?: Step[];
  /** Turn of each chunk of a hierarchical z, in quarter turns, -1 to 1; 0 leaves it. */
  chunks?: number[];
}

/** Classes and latents. */
export interface Point {
  classes: ClassWeight[];
  z: Latent;
}

/** A picture: a point, or a place on the way to another (0 to 1). */
export interface Picture {
  from: Point;
  to?: { point: Point; at: number };
}

/** How far z is truncated, in the meaning of the model's kind; `null` is off. */
export type Truncation = number | null;

/** What a truncation means: the paper's, TF-Hub's, or a standard deviation (see the core's `truncation.rs`). */
export type TruncationKind = "resampling" | "scaled_truncated_normal" | "scaled_normal";

/** A model. */
export interface ModelInfo {
  classNames: string[];
  /** Ids of the classes in a vocabulary outside (WordNet's); empty where there are none. */
  classIds: string[];
  /** Side of an image in pixels. */
  resolution: number;
  zDim: number;
  /** Pieces of z that can be turned one by one; 1 where z is not hierarchical. */
  chunks: number;
  parameters: number;
  architecture: string;
  truncationKind: TruncationKind;
  /** Smallest and largest truncation beside off; `null` where the latents cannot be truncated. */
  truncationRange: [number, number] | null;
  /** Truncations with statistics of their own; `null` is off. */
  truncations: Truncation[];
  dataset: string;
  datasetImages: number;
  recipe: string;
  imagesSeen: number;
  gStep: number;
  /** Scores by protocol. */
  scores: Record<string, number>;
  /** The program that a foreign file came from. */
  imported: string | null;
  /** Most pictures in a request. */
  maxCount: number;
  /** Most classes in a mix. */
  maxMixed: number;
}

export interface GeneratorInfo {
  model: ModelInfo;
  running: Running;
  /**
   * SHA-256 of the model file, or of the index of a model in parts, in lower-case hex; empty where the browser
   * has no hashes (a page that is neither https nor localhost).
   */
  modelId: string;
  /** Bytes of the model that were read, and of the wasm memory now (0 where it is not known). */
  modelBytes: number;
  memoryBytes: number;
}

/** What happens while a generator is made. */
export type LoadProgress =
  | { phase: "program"; backend: Backend }
  | {
      phase: "download";
      /** Name of the file. */
      file: string;
      received: number;
      /** `null` where the server does not say. */
      total: number | null;
      /** Which of how many files. */
      part: number;
      parts: number;
      /** From this device's cache, or on from where an earlier download broke. */
      cached: boolean;
      resumedAt: number;
    }
  | { phase: "verify"; file: string }
  | { phase: "prepare" }
  | { phase: "ready"; info: GeneratorInfo };

/** A foreign model: PyTorch's weights and the text of the program's own config. */
export interface ForeignModel {
  weights: Blob;
  config?: Blob | string;
}

export interface GeneratorOptions extends EngineOptions {
  /** Address of a model file or of an index of parts (`*.safetensors.index.json`), or the file itself. */
  model: string | URL | Blob | ForeignModel;
  /** SHA-256 that a single model file must have, in hex. Parts have theirs in the index. */
  sha256?: string;
  /** Keep the model in this browser (the default), or download it each time. */
  cache?: boolean;
  onProgress?: (progress: LoadProgress) => void;
  /** Called when the backend changes later, since a worker or the GPU was lost. */
  onRunning?: (running: Running) => void;
}

/** Pictures of one class or mix: the usual request. */
export interface SampleRequest {
  /** A class by number, by name or by id, or a mix. */
  class: number | string | ClassWeight[];
  seed?: Seed;
  /** Number of the first sample in its seed. */
  first?: number;
  count?: number;
  /** Off where it is left out. */
  truncation?: Truncation;
  chunks?: number[];
  steps?: Step[];
  signal?: AbortSignal;
}

/** Any pictures at one truncation. */
export interface DrawRequest {
  pictures: Picture[];
  truncation?: Truncation;
  signal?: AbortSignal;
}

/** A way between two points. */
export interface InterpolateRequest {
  from: Point;
  to: Point;
  /** Pictures, both ends included: 2 or more. */
  count: number;
  truncation?: Truncation;
  signal?: AbortSignal;
}

/** A picture and where it comes from. */
export interface Sample {
  image: ImageData;
  picture: Picture;
  truncation: Truncation;
}

export interface Samples {
  samples: Sample[];
  /** Time of computing, reading from the device included. */
  elapsedMs: number;
}

export interface Generator {
  readonly info: GeneratorInfo;
  sample(request: SampleRequest): Promise<Samples>;
  draw(request: DrawRequest): Promise<Samples>;
  /** The pictures of a way, one after another, as they are ready. */
  interpolate(request: InterpolateRequest): AsyncIterableIterator<Sample>;
  /** Ends the worker and rejects what waits; more calls are refused. */
  dispose(): void;
}
