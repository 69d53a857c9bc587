/** A run in a wasm instance, on the current thread. */

import { bytesOf, openInstance } from "../base/instance.js";
import type { Answers, Side } from "../base/protocol.js";
import { loadTrainProgram, type WasmTrainer } from "./program.js";
import type { TrainCalls, TrainCounters } from "./protocol.js";

const blobOf = (bytes: Uint8Array) => new Blob([bytes as Uint8Array<ArrayBuffer>]);

export const training: Side<TrainCalls> = {
  name: "train",
  async open(backend, onFault) {
    const loading = loadTrainProgram(backend);
    const { engine, memoryBytes, selfTest } = await openInstance(loading, backend, onFault);
    const { trainingNeed } = await loading;
    return (): Answers<TrainCalls> => {
      let opened: WasmTrainer | undefined;
      let side = 0;
      const free = () => {
        opened?.free();
        opened = undefined;
      };
      const trainer = () => {
        if (!opened) throw new Error("the engine has no training yet");
        return opened;
      };
      const counters = (): TrainCounters => ({
        ...JSON.parse(trainer().counters()),
        memoryBytes: memoryBytes(),
      });
      return {
        selfTest,
        need: async ({ recipe, resolution, classes }) =>
          JSON.parse(trainingNeed(recipe, resolution, classes)),
        async start({ data, recipe, networks, checkpoint }) {
          const { name, classNames, resolution, pixels, labels } = data;
          free();
          // a checkpoint has networks of its own
          const from = networks && !checkpoint ? await bytesOf(networks) : undefined;
          const next = engine.train(recipe, from, name, classNames, resolution, pixels, labels);
          try {
            if (checkpoint) next.resume(await bytesOf(checkpoint));
          } catch (error) {
            next.free();
            throw error;
          }
          [opened, side] = [next, resolution];
          return counters();
        },
        async step(which) {
          const start = performance.now();
          const report = JSON.parse(await trainer().step(which));
          return { ...report, elapsedMs: performance.now() - start, memoryBytes: memoryBytes() };
        },
        async look({ perClass, scored }) {
          const probe = await trainer().probe(perClass, scored);
          const info = JSON.parse(probe.info());
          const bytes = probe.rgba();
          probe.free();
          return { ...info, rgba: new Uint8ClampedArray(bytes.buffer as ArrayBuffer), side };
        },
        save: async () => blobOf(await trainer().checkpoint()),
        async load(checkpoint) {
          trainer().resume(await bytesOf(checkpoint));
          return counters();
        },
        exportModel: async () => blobOf(await trainer().model()),
        packedImages: async () => blobOf(trainer().packedImages()),
        free,
      };
    };
  },
};
