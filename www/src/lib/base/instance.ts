/** A wasm instance with an engine, on the current thread. */

import type { Backend } from "./api.js";
import type { CommonCalls } from "./protocol.js";

/** A build, as wasm-bindgen makes it. */
export interface Program<E> {
  default(): Promise<{ readonly memory: WebAssembly.Memory }>;
  watchFaults(watcher: (fault: string) => void): void;
  Engine: { open(backend: string): Promise<E> };
}

export interface Instance<E> extends CommonCalls {
  engine: E;
  memoryBytes(): number;
}

/** An instance opens a single engine. After a fault nothing in it can be trusted. */
export async function openInstance<E extends { selfTest(): Promise<string> }>(
  program: Program<E>,
  backend: Backend,
  onFault: (fault: string) => void,
): Promise<Instance<E>> {
  const { memory } = await program.default();
  program.watchFaults(onFault);
  const engine = await program.Engine.open(backend);
  return {
    engine,
    memoryBytes: () => memory.buffer.byteLength,
    selfTest: async () => JSON.parse(await engine.selfTest()),
  };
}

export const bytesOf = async (blob: Blob) => new Uint8Array(await blob.arrayBuffer());
