/** The wasm builds for sampling, and the part of their interface that this package uses. */

import type { Backend } from "./api.js";

export interface Batch {
  readonly side: number;
  rgba(): Uint8Array;
  free(): void;
}

export interface WasmModel {
  info(): string;
  draw(pictures: string, truncation?: number): Promise<Batch>;
  free(): void;
}

export interface WasmEngine {
  selfTest(): Promise<string>;
  load(file: Uint8Array): WasmModel;
  loadShards(index: Uint8Array, names: string[], parts: Uint8Array[]): WasmModel;
  import(weights: Uint8Array, config?: string): WasmModel;
}

export interface Program {
  default(): Promise<{ readonly memory: WebAssembly.Memory }>;
  watchFaults(watcher: (fault: string) => void): void;
  Engine: { open(backend: string): Promise<WasmEngine> };
}

/** Fetches a build. That with the GPU is several times as large, so it comes only where it is used. */
export const loadProgram = (backend: Backend): Promise<Program> =>
  backend === "webgpu"
    ? import("../../../pkg/sample-webgpu/biggan_web.js")
    : import("../../../pkg/sample-cpu/biggan_web.js");
