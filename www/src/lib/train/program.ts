/** The wasm builds for training, and the part of their interface that this package uses. */

import type { Backend } from "../base/api.js";
import type { Program } from "../base/instance.js";

export interface WasmProbe {
  info(): string;
  rgba(): Uint8Array;
  free(): void;
}

export interface WasmTrainer {
  resume(checkpoint: Uint8Array): void;
  step(which: string): Promise<string>;
  counters(): string;
  probe(perClass: number, scored: number): Promise<WasmProbe>;
  checkpoint(): Promise<Uint8Array>;
  model(): Promise<Uint8Array>;
  packedImages(): Uint8Array;
  free(): void;
}

export interface WasmTrainEngine {
  selfTest(): Promise<string>;
  train(
    recipe: string,
    networks: Uint8Array | undefined,
    name: string,
    classNames: string[],
    resolution: number,
    pixels: Uint8Array,
    labels: Uint16Array,
  ): WasmTrainer;
}

export interface TrainProgram extends Program<WasmTrainEngine> {
  trainingNeed(recipe: string, resolution: number, classes: number): string;
}

/** Fetches a build. */
export const loadTrainProgram = (backend: Backend): Promise<TrainProgram> =>
  backend === "webgpu"
    ? import("../../../pkg/train-webgpu/biggan_web.js")
    : import("../../../pkg/train-cpu/biggan_web.js");
