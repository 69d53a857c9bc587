/** A wasm instance with an engine, on whichever thread this runs. */

import type { Backend } from "./api.js";
import { loadProgram, type WasmEngine, type WasmModel } from "./program.js";
import type { DrawCall, Drawn, Loaded, ModelFiles, SelfTest } from "../base/protocol.js";

export class Instance {
  private constructor(
    readonly engine: WasmEngine,
    private readonly memory: WebAssembly.Memory,
  ) {}

  /** An instance opens one engine. After a fault nothing in it can be trusted. */
  static async open(backend: Backend, onFault: (fault: string) => void): Promise<Instance> {
    const program = await loadProgram(backend);
    const { memory } = await program.default();
    program.watchFaults(onFault);
    return new Instance(await program.Engine.open(backend), memory);
  }

  get memoryBytes(): number {
    return this.memory.buffer.byteLength;
  }

  async selfTest(): Promise<SelfTest> {
    return JSON.parse(await this.engine.selfTest());
  }

  async load(files: ModelFiles): Promise<LoadedModel> {
    const model = await this.#place(files);
    const { memoryBytes } = this;
    return new LoadedModel(this, model, { info: JSON.parse(model.info()), memoryBytes });
  }

  async #place(files: ModelFiles): Promise<WasmModel> {
    switch (files.kind) {
      case "file":
        return this.engine.load(await bytesOf(files.file));
      case "parts": {
        const parts = [];
        for (const { file } of files.parts) parts.push(await bytesOf(file));
        const names = files.parts.map(({ name }) => name);
        return this.engine.loadShards(await bytesOf(files.index), names, parts);
      }
      case "foreign":
        return this.engine.import(await bytesOf(files.weights), files.config ?? undefined);
    }
  }
}

export class LoadedModel {
  constructor(
    private readonly instance: Instance,
    private readonly model: WasmModel,
    readonly loaded: Loaded,
  ) {}

  async draw({ pictures, truncation }: DrawCall): Promise<Drawn> {
    const start = performance.now();
    const batch = await this.model.draw(pictures, truncation ?? undefined);
    const bytes = batch.rgba();
    const { side } = batch;
    batch.free();
    return {
      side,
      rgba: new Uint8ClampedArray(bytes.buffer as ArrayBuffer),
      elapsedMs: performance.now() - start,
      memoryBytes: this.instance.memoryBytes,
    };
  }

  free(): void {
    this.model.free();
  }
}

const bytesOf = async (blob: Blob) => new Uint8Array(await blob.arrayBuffer());
