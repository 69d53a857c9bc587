/** What is asked of an engine, in a worker or on the main thread. */

import type { Backend, ModelInfo } from "../sample/api.js";
import type { TrainCalls } from "../train/protocol.js";

/** A model's files. Blobs may lie on disk, and a worker gets them without a copy. */
export type ModelFiles =
  | { kind: "file"; file: Blob }
  | { kind: "parts"; index: Blob; parts: { name: string; file: Blob }[] }
  | { kind: "foreign"; weights: Blob; config: string | null };

/** The device against the CPU backend, on a tiny generator. */
export interface SelfTest {
  max_difference: number | null;
  range: [number, number];
  agrees: boolean;
}

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

/** Requests by name: what goes in and what comes out. */
export interface Calls extends TrainCalls {
  open: { in: { backend: Backend }; out: null };
  selfTest: { in: null; out: SelfTest };
  load: { in: ModelFiles; out: Loaded };
  draw: { in: DrawCall; out: Drawn };
}

export type CallName = keyof Calls;

export type Handlers<K extends CallName> = {
  [Name in K]: (input: Calls[Name]["in"]) => Promise<Calls[Name]["out"]>;
};

export type ToWorker = {
  [K in CallName]: { id: number; call: K; input: Calls[K]["in"] };
}[CallName];

export type FromWorker =
  | { id: number; value: Calls[CallName]["out"] }
  | { id: number; error: string }
  /** The worker cannot be used any more. */
  | { fault: string };
