/** A wasm instance with an engine, on the current thread. */

import { withLimit } from "./abort.js";
import type { Backend } from "./api.js";
import { messageOf } from "./errors.js";
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

/** Opening a device takes a few seconds at most; a driver that hangs never answers. */
const OPEN_LIMIT_MS = 60_000;

/** A build, fetched and compiled. */
async function load<E>(loading: Promise<Program<E>>, backend: Backend) {
  try {
    const program = await loading;
    return { program, ...(await program.default()) };
  } catch (cause) {
    throw new Error(
      `the build for ${backend} could not be loaded (${messageOf(cause)}); serve the package's folder wasm where its files look for it`,
      { cause },
    );
  }
}

/** An instance opens a single engine. After a fault nothing in it can be trusted. */
export async function openInstance<E extends { selfTest(): Promise<string> }>(
  loading: Promise<Program<E>>,
  backend: Backend,
  onFault: (fault: string) => void,
): Promise<Instance<E>> {
  const { program, memory } = await load(loading, backend);
  program.watchFaults(onFault);
  const engine = await withLimit(program.Engine.open(backend), OPEN_LIMIT_MS);
  return {
    engine,
    memoryBytes: () => memory.buffer.byteLength,
    selfTest: async () => JSON.parse(await engine.selfTest()),
  };
}

export const bytesOf = async (blob: Blob) => new Uint8Array(await blob.arrayBuffer());
