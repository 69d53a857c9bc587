/** What is asked of an engine that samples. */

import type { CommonCalls } from "../base/protocol.js";
import type { ModelInfo } from "./api.js";

/** A model's files. Blobs may lie on disk, and a worker gets them without a copy. */
export type ModelFiles =
  | { kind: "file"; file: Blob }
  | { kind: "parts"; index: Blob; parts: { name: string; file: Blob }[] }
  | { kind: "foreign"; weights: Blob; config: string | null };

export interface Loaded {
  info: ModelInfo;
  memoryBytes: number;
}

export interface DrawCall {
  /** JSON of an array of pictures, as the core reads them. */
  pictures: string;
  truncation: number | null;
}

export interface Drawn {
  /** Side in pixels. */
  side: number;
  /** RGBA bytes of all images, one after another. */
  rgba: Uint8ClampedArray<ArrayBuffer>;
  /** Time of computing, reading from the device included. */
  elapsedMs: number;
  memoryBytes: number;
}

export interface SampleCalls extends CommonCalls {
  load(files: ModelFiles): Promise<Loaded>;
  draw(call: DrawCall): Promise<Drawn>;
}
