/** The calls to an engine that samples. */

import type { CommonCalls } from "../base/protocol.js";
import type { ModelInfo } from "./api.js";

/** A model's files. Blobs may be on disk, and a worker gets them without a copy. */
export type ModelFiles =
  | { kind: "file"; file: Blob }
  | { kind: "parts"; index: Blob; parts: { name: string; file: Blob }[] }
  | { kind: "foreign"; weights: Blob; config: string | null };

export interface Loaded {
  info: ModelInfo;
  memoryBytes: number;
}

export interface DrawCall {
  /** JSON of an array of pictures in the core's format. */
  pictures: string;
  truncation: number | null;
}

export interface Drawn {
  /** Side in pixels. */
  side: number;
  /** RGBA bytes of all images, one after another. */
  rgba: Uint8ClampedArray<ArrayBuffer>;
  /** Computing time, including reads from the device. */
  elapsedMs: number;
  memoryBytes: number;
}

export interface SampleCalls extends CommonCalls {
  load(files: ModelFiles): Promise<Loaded>;
  draw(call: DrawCall): Promise<Drawn>;
}
