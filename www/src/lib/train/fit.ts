/** Whether a run fits on a device, from its sizes alone. */

import type { BufferLimits } from "../base/adapter.js";
import type { Backend } from "../base/api.js";
import { megabytes } from "../base/bytes.js";
import { BigGanError } from "../base/errors.js";
import type { TrainingData } from "./api.js";
import type { TrainingNeed } from "./protocol.js";

/** Wasm addresses are 32 bits wide; half of that is left for fragmentation. */
const WASM_BYTES = 2 ** 31;
/** For the program, and for everything that is not counted. */
const PROGRAM_BYTES = 2 ** 26;

/** Why a run does not fit on a backend, or null. `limits` are the GPU's. */
export function trainingMisfit(
  need: TrainingNeed,
  data: TrainingData,
  backend: Backend,
  limits: BufferLimits | null,
): BigGanError | null {
  const sizes =
    `it has ${count(need.parametersG)} parameters in G and ${count(need.parametersD)} in D, ` +
    `${megabytes(need.weightBytes)} of weights and moments and ${megabytes(need.mapBytes)} of ` +
    "feature maps";
  const remedy = "choose a smaller width, batch or resolution";
  if (backend === "webgpu" && limits) {
    const available = Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize);
    const needed = need.largestTensorBytes;
    if (needed > available) {
      return new BigGanError(
        "too-large",
        `the run's largest tensor takes ${megabytes(needed)}, and a buffer of the GPU holds ` +
          `${megabytes(available)} (${sizes}); ${remedy}`,
        { numbers: { needed, available } },
      );
    }
  }
  const copies = 2 * data.pixels.byteLength;
  const onDevice = backend === "cpu" ? need.weightBytes + need.mapBytes : 0;
  const needed = PROGRAM_BYTES + copies + onDevice;
  if (needed <= WASM_BYTES) return null;
  return new BigGanError(
    "too-large",
    `training takes about ${megabytes(needed)} and ${megabytes(WASM_BYTES)} are available to it: ${sizes}, ` +
      `${megabytes(copies)} for the images; ${remedy}`,
    { numbers: { needed, available: WASM_BYTES } },
  );
}

const count = (number: number) =>
  number < 1e6 ? `${(number / 1e3).toFixed(1)} thousand` : `${(number / 1e6).toFixed(1)} million`;
