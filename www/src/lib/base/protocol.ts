/** The calls to an engine, in a worker or on the main thread. Each side of the package has its own calls. */

import type { Backend } from "./api.js";
import type { ErrorData } from "./errors.js";

/** Compares the device with the CPU backend on a tiny generator. */
export interface SelfTest {
  max_difference: number | null;
  range: [number, number];
  agrees: boolean;
}

export interface CommonCalls {
  selfTest(): Promise<SelfTest>;
}

/** Answers the calls of one generator or trainer. */
export type Answers<C> = C & { free(): void };

/** A side of the package. */
export interface Side<C> {
  /** The first half of the names of its builds. */
  name: "sample" | "train";
  /** Opens the one engine of a wasm instance, for any number of generators or trainers. */
  open(backend: Backend, onFault: (fault: string) => void): Promise<() => Answers<C>>;
}

export interface ToWorker {
  id: number;
  /** `open` with a backend, or a call of the side. */
  call: string;
  input: unknown;
}

export type FromWorker =
  | { id: number; value: unknown }
  | { id: number; error: ErrorData }
  /** The worker can no longer be used. */
  | { fault: string };
