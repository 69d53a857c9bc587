/** The wasm builds for sampling, and the part of their interface that this package uses. */

import type { Backend } from "../base/api.js";
import type { Program } from "../base/instance.js";
import { hasRelaxedSimd } from "../base/relaxed-simd.js";

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
  loadAt(bytes: number, read: (start: number, end: number) => Uint8Array): WasmModel;
  loadShards(index: Uint8Array, names: string[], parts: Uint8Array[]): WasmModel;
  import(weights: Uint8Array, config?: string): WasmModel;
}

/** Fetches a build. The GPU build is several times as large, so it is fetched only if it is used. */
export const loadProgram = (backend: Backend): Promise<Program<WasmEngine>> =>
  backend === "webgpu" ? import("../../../pkg/sample-webgpu/biggan_web.js") : loadForCpu();

/** The faster of two where the browser can run it, and the site has it. */
async function loadForCpu(): Promise<Program<WasmEngine>> {
  const plain = () => import("../../../pkg/sample-cpu/biggan_web.js");
  return hasRelaxedSimd()
    ? import("../../../pkg/sample-cpu-relaxed/biggan_web.js").catch(plain)
    : plain();
}
