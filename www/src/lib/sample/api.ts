/** The interface of sampling: what goes in, what comes out. Nothing here runs. */

import type { Backend, EngineOptions, Running, Seed } from "../base/api.js";

/** A class of a mix. Weights are divided by their sum. */
export interface ClassWeight {
  class: number;
  weight: number;
}

/** A random step from a picture to its child: a rotation of z towards a draw with its own seed. */
export interface RandomStep {
  seed: Seed;
  /** In quarter turns: 0.1 is a sibling, 1 a stranger. */
  size: number;
}

/** Crossbreeding: the child of a picture and a mate. 0 is the picture's, and 1 the mate's. */
export interface CrossStep {
  /** The other parent, which may be bred itself. */
  mate: Point;
  /** Where the class weights are between the two. */
  classes: number;
  /** Where each chunk of z is between the two, on the sphere. Chunks beyond the list are the picture's. */
  chunks: number[];
}

/** A step from a picture to its child. */
export type Step = RandomStep | CrossStep;

/** A point of latent space: sample `index` of a seed, and its edits. */
export interface Latent {
  seed: Seed;
  index?: number;
  /** The lineage of a bred picture: 256 steps at most, those of mates included. */
  steps?: Step[];
  /** Rotation of each chunk of a hierarchical z, in quarter turns, -1 to 1; 0 leaves it. */
  chunks?: number[];
}

/** Classes and latents. */
export interface Point {
  classes: ClassWeight[];
  z: Latent;
}

/** A picture: a point, or a position (0 to 1) on the interpolation to another. */
export interface Picture {
  from: Point;
  to?: { point: Point; at: number };
}

/** How far z is truncated, as the model's truncation kind defines it; `null` is off. */
export type Truncation = number | null;

/** What a truncation means: the paper's definition, TF-Hub's, or a standard deviation (see the core's `truncation.rs`). */
export type TruncationKind = "resampling" | "scaled_truncated_normal" | "scaled_normal";

/** A model. */
export interface ModelInfo {
  classNames: string[];
  /** Ids of the classes in an external vocabulary (WordNet's); empty if there are none. */
  classIds: string[];
  /** Side of an image in pixels. */
  resolution: number;
  zDim: number;
  /** Chunks of z that can be rotated separately; 1 if z is not hierarchical. */
  chunks: number;
  parameters: number;
  architecture: string;
  truncationKind: TruncationKind;
  /** Smallest and largest truncation besides off; `null` if the latents cannot be truncated. */
  truncationRange: [number, number] | null;
  /** Truncations with their own statistics; `null` is off. */
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
  /** SHA-256 of the model file, or of the index of a model in parts, in lower-case hex. */
  modelId: string;
  /** Bytes of the model that were read, and of the current wasm memory (0 if unknown). */
  modelBytes: number;
  memoryBytes: number;
}

/** Progress while a generator is created. */
export type LoadProgress =
  | { phase: "program"; backend: Backend }
  | {
      phase: "download";
      /** Name of the file. */
      file: string;
      received: number;
      /** `null` if the server does not say. */
      total: number | null;
      /** The file's number, and the number of files. */
      part: number;
      parts: number;
      /** Whether it comes from this device's cache, and where a download was resumed. */
      cached: boolean;
      resumedAt: number;
    }
  | { phase: "verify"; file: string }
  | { phase: "prepare" }
  | { phase: "ready"; info: GeneratorInfo };

/** A foreign model: PyTorch's weights, or their address, and the program's own config: its file, text or address. */
export interface ForeignModel {
  weights: Blob | URL | string;
  config?: Blob | URL | string;
}

export interface GeneratorOptions extends EngineOptions {
  /**
   * Address of a model file, of a shard index (`*.safetensors.index.json`), or of another program's weights (`.bin`,
   * `.pth`, `.pt`, `.ckpt`) with their `config.json` next to them; the name of a repository of Hugging Face's hub,
   * `hf:OWNER/REPOSITORY`, perhaps with `/FILE` and `@REVISION`; or the file itself.
   */
  model: string | URL | Blob | ForeignModel;
  /** SHA-256 that a single model file must have, in hex. Parts have theirs in the index. */
  sha256?: string;
  /** Keep the model in this browser (the default), or download it each time. */
  cache?: boolean;
  onProgress?: (progress: LoadProgress) => void;
  /** Called when the backend changes later because a worker or the GPU was lost. */
  onRunning?: (running: Running) => void;
}

/** Pictures of one class or mix, or of several classes: the usual request. */
export interface SampleRequest {
  /**
   * A number is the class's place in the list of names. A text means what it means after `native-train sample --class`: a
   * name, a synonym, an id, `#3` or (where no class is named by a number) `3`, a list such as `dress,bag`, or `*` for all;
   * of a list, `count` pictures of each class are drawn. Otherwise a mix.
   */
  class: number | string | ClassWeight[];
  seed?: Seed;
  /** Index of the first sample in its seed. */
  first?: number;
  count?: number;
  /** Default off. */
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

/** An interpolation between two points. */
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
  /** Computing time, including reads from the device. */
  elapsedMs: number;
}

export interface Generator {
  readonly info: GeneratorInfo;
  sample(request: SampleRequest): Promise<Samples>;
  draw(request: DrawRequest): Promise<Samples>;
  /** The pictures of an interpolation, one by one, as they become ready. */
  interpolate(request: InterpolateRequest): AsyncIterableIterator<Sample>;
  /** Ends the worker and rejects pending calls; further calls are refused. */
  dispose(): void;
}
