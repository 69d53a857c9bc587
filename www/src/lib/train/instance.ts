/** A wasm instance of a training build with its training, on whichever thread this runs. */

import type { Backend } from "../sample/api.js";
import type { Handlers } from "../base/protocol.js";
import { decodePicture } from "./picture.js";
import {
  loadTrainProgram,
  type TrainProgram,
  type WasmTrainEngine,
  type WasmTrainer,
} from "./program.js";
import type { TrainCalls, TrainCounters } from "./protocol.js";

const blobOf = (bytes: Uint8Array) => new Blob([bytes as Uint8Array<ArrayBuffer>]);
const bytesOf = async (blob: Blob) => new Uint8Array(await blob.arrayBuffer());

export class TrainInstance {
  #program: TrainProgram | undefined;
  #memory: WebAssembly.Memory | undefined;
  #engine: WasmTrainEngine | undefined;
  #trainer: WasmTrainer | undefined;
  #side = 0;

  /** An instance opens one engine. After a fault nothing in it can be trusted. */
  async open(backend: Backend, onFault: (fault: string) => void): Promise<void> {
    const program = await loadTrainProgram(backend);
    const { memory } = await program.default();
    program.watchFaults(onFault);
    this.#engine = await program.Engine.open(backend);
    this.#program = program;
    this.#memory = memory;
  }

  readonly handlers: Handlers<"selfTest" | keyof TrainCalls> = {
    selfTest: async () => JSON.parse(await opened(this.#engine, "engine").selfTest()),
    trainCheck: async ({ seed, steps }) =>
      (await opened(this.#engine, "engine").trainCheck(seed, steps)) as Uint8Array<ArrayBuffer>,
    trainNeed: async ({ recipe, resolution, classes }) =>
      JSON.parse(opened(this.#program, "program").trainingNeed(recipe, resolution, classes)),
    trainStart: async ({ data, recipe, checkpoint }) => {
      const { name, classNames, resolution, pixels, labels } = data;
      const engine = opened(this.#engine, "engine");
      this.#trainer?.free();
      this.#trainer = undefined;
      const trainer = engine.train(recipe, name, classNames, resolution, pixels, labels);
      try {
        if (checkpoint) trainer.resume(await bytesOf(checkpoint));
      } catch (error) {
        trainer.free();
        throw error;
      }
      this.#trainer = trainer;
      this.#side = resolution;
      return this.#counters();
    },
    trainStep: async ({ which }) => {
      const start = performance.now();
      const report = JSON.parse(await this.#training.step(which));
      const elapsedMs = performance.now() - start;
      return { ...report, elapsedMs, memoryBytes: this.#memoryBytes };
    },
    trainLook: async ({ perClass, scored }) => {
      const sight = await this.#training.look(perClass, scored);
      const info = JSON.parse(sight.info());
      const bytes = sight.rgba();
      sight.free();
      const rgba = new Uint8ClampedArray(bytes.buffer as ArrayBuffer);
      return { ...info, rgba, side: this.#side, memoryBytes: this.#memoryBytes };
    },
    trainSave: async () => blobOf(await this.#training.checkpoint()),
    trainLoad: async ({ checkpoint }) => {
      this.#training.resume(await bytesOf(checkpoint));
      return this.#counters();
    },
    trainExport: async () => blobOf(await this.#training.model()),
    trainPack: async () => blobOf(this.#training.packedImages()),
    decodePicture: ({ file, resolution }) => decodePicture(file, resolution),
  };

  get #training(): WasmTrainer {
    return opened(this.#trainer, "training");
  }

  get #memoryBytes(): number {
    return opened(this.#memory, "program").buffer.byteLength;
  }

  #counters(): TrainCounters {
    return { ...JSON.parse(this.#training.counters()), memoryBytes: this.#memoryBytes };
  }
}

function opened<T>(what: T | undefined, name: string): T {
  if (what === undefined) throw new Error(`the engine has no ${name} yet`);
  return what;
}
