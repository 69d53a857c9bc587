/** Whether a model fits on a device, from its sizes alone. */

import type { BufferLimits } from "../base/adapter.js";
import type { Backend } from "../base/api.js";
import { megabytes } from "../base/bytes.js";
import { BigGanError } from "../base/errors.js";
import type { ModelSize } from "./header.js";

/** Addresses of wasm are 32 bits wide. */
const WASM_BYTES = 2 ** 32;
/** Bytes for the program and the feature maps of pictures computed together. */
const WORKING_BYTES = 2 ** 28;

/** Limits of the requested backend, or of those that may be chosen. */
export class Fit {
  constructor(
    private readonly wanted: Backend | "auto",
    private readonly limits: () => Promise<BufferLimits | null>,
  ) {}

  /** Refuses a model that fits nowhere. */
  async check(size: ModelSize): Promise<void> {
    // `auto` falls back to the CPU if the GPU is too small
    const misfit = await this.misfit(size, this.wanted === "auto" ? "cpu" : this.wanted);
    if (misfit) throw misfit;
  }

  /** Why a model does not fit on a backend, or null. */
  async misfit(size: ModelSize, backend: Backend): Promise<BigGanError | null> {
    return (
      (backend === "webgpu" ? tensorMisfit(size, await this.limits()) : null) ??
      memoryMisfit(size, backend)
    );
  }
}

function tensorMisfit({ largest }: ModelSize, limits: BufferLimits | null): BigGanError | null {
  if (!limits) return null;
  const name =
    limits.maxBufferSize < limits.maxStorageBufferBindingSize
      ? "maxBufferSize"
      : "maxStorageBufferBindingSize";
  const [needed, available] = [largest.f32, limits[name]];
  if (needed <= available) return null;
  return tooLarge(
    `the model's tensor ${largest.name} takes ${megabytes(needed)} as 32-bit floats, and the GPU's ${name} ` +
      `is ${megabytes(available)}; use the CPU or a smaller model`,
    { needed, available },
  );
}

function memoryMisfit(size: ModelSize, backend: Backend): BigGanError | null {
  // as 32-bit floats all of it (on the CPU), or a tensor at a time (on its way to the GPU)
  const weights = backend === "cpu" ? size.f32 : size.largest.f32;
  const needed = size.file + weights + WORKING_BYTES;
  if (needed <= WASM_BYTES) return null;
  return tooLarge(
    `the model takes ${megabytes(needed)} (${megabytes(size.file)} for the file, ${megabytes(weights)} as ` +
      `32-bit floats, ${megabytes(WORKING_BYTES)} to work in), and wasm has ${megabytes(WASM_BYTES)}; use ` +
      "a smaller model",
    { needed, available: WASM_BYTES },
  );
}

const tooLarge = (message: string, numbers: Record<string, number>) =>
  new BigGanError("too-large", message, { numbers });
