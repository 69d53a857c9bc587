/** A model in a wasm instance, on the current thread. */

import { bytesOf, openInstance } from "../base/instance.js";
import type { Answers, Side } from "../base/protocol.js";
import { loadProgram, type WasmEngine, type WasmModel } from "./program.js";
import type { ModelFiles, SampleCalls } from "./protocol.js";

export const sampling: Side<SampleCalls> = {
  name: "sample",
  async open(backend, onFault) {
    const { engine, memoryBytes, selfTest } = await openInstance(loadProgram(backend), backend, onFault);
    return (): Answers<SampleCalls> => {
      let model: WasmModel | undefined;
      return {
        selfTest,
        async load(files) {
          const next = await put(files, engine);
          model?.free();
          model = next;
          return { info: JSON.parse(model.info()), memoryBytes: memoryBytes() };
        },
        async draw({ pictures, truncation }) {
          if (!model) throw new Error("the engine has no model yet");
          const start = performance.now();
          const batch = await model.draw(pictures, truncation ?? undefined);
          const bytes = batch.rgba();
          const { side } = batch;
          batch.free();
          return {
            side,
            rgba: new Uint8ClampedArray(bytes.buffer as ArrayBuffer),
            elapsedMs: performance.now() - start,
            memoryBytes: memoryBytes(),
          };
        },
        free: () => model?.free(),
      };
    };
  },
};

/** A file of more bytes is read tensor by tensor, so that the program never has it as a whole; a smaller one at once, which is faster. */
const LARGE = 16e6;

async function put(files: ModelFiles, engine: WasmEngine): Promise<WasmModel> {
  switch (files.kind) {
    case "file":
      return files.file.size > LARGE && "FileReaderSync" in globalThis
        ? loadLarge(files.file, engine)
        : engine.load(await bytesOf(files.file));
    case "parts": {
      const parts = [];
      for (const { file } of files.parts) parts.push(await bytesOf(file));
      const names = files.parts.map(({ name }) => name);
      return engine.loadShards(await bytesOf(files.index), names, parts);
    }
    case "foreign":
      return engine.import(await bytesOf(files.weights), files.config ?? undefined);
  }
}

async function loadLarge(file: Blob, engine: WasmEngine): Promise<WasmModel> {
  const { ReadOnce } = await import("./read-once.js");
  const source = await ReadOnce.open(file);
  try {
    return engine.loadAt(file.size, (start, end) => source.read(start, end));
  } finally {
    source.free();
  }
}
