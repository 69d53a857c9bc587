/** Wasm builds that `cargo xtask demo` is still making: the page works without them, and says so. */

import type { Backend } from "../lib/index.js";

type Build = "sample-webgpu" | "train-cpu" | "train-webgpu";

/** Names with commas between them; empty in every other page. */
const NAMES: string = import.meta.env.VITE_BEING_MADE ?? "";

export const someAreBeingMade = NAMES !== "";

export const isBeingMade = (build: Build): boolean => NAMES.split(",").includes(build);

/** Why the CPU does something (`verb`), in the second half of "runs on the CPU: ..". */
export function whyCpu(gpu: Build, verb: string, { backend, sentence }: { backend: Backend; sentence: string }): string {
  return backend === "cpu" && isBeingMade(gpu)
    ? `the GPU build is being made; the CPU ${verb} meanwhile`
    : sentence;
}
