/** Throws for a value that is out of range. */

import type { EngineOptions } from "./api.js";
import { BigGanError, type ErrorCode } from "./errors.js";

const BACKENDS: unknown[] = ["auto", "cpu", "webgpu", undefined];
const WORKERS: unknown[] = ["auto", "main", undefined];

export function checkEngineOptions({ backend, worker }: EngineOptions): void {
  if (!BACKENDS.includes(backend)) refuse("backend", backend, '"auto", "cpu" or "webgpu"');
  if (typeof worker !== "function" && !WORKERS.includes(worker)) {
    refuse("worker", worker, '"auto", "main" or a function that starts the worker');
  }
}

export function refuse(
  field: string,
  found: unknown,
  remedy: string,
  code: ErrorCode = "bad-options",
  what = field,
): never {
  throw new BigGanError(code, `${what} is ${show(found)}; give ${remedy}`, { field });
}

/** For values that JSON lacks: NaN and large integers. */
const show = (value: unknown): string =>
  typeof value === "string" || typeof value === "object" ? JSON.stringify(value) : String(value);
