/** Options, checked. */

import type { GeneratorOptions } from "./api.js";
import { BigGanError } from "../base/errors.js";

const BACKENDS: unknown[] = ["auto", "cpu", "webgpu", undefined];
const WORKERS: unknown[] = ["auto", "main", undefined];

export function checkOptions({ model, backend, worker, sha256 }: GeneratorOptions): void {
  if (!model) refuse("model", model, "an address or a file");
  if (!BACKENDS.includes(backend)) refuse("backend", backend, '"auto", "cpu" or "webgpu"');
  if (typeof worker !== "function" && !WORKERS.includes(worker)) {
    refuse("worker", worker, '"auto", "main" or a function that starts the worker');
  }
  if (sha256 !== undefined && !/^[0-9a-f]{64}$/.test(sha256)) {
    refuse("sha256", sha256, "64 digits of lower-case hex");
  }
}

function refuse(field: string, found: unknown, remedy: string): never {
  throw new BigGanError("bad-options", `${field} is ${JSON.stringify(found)}; give ${remedy}`, {
    field,
  });
}
