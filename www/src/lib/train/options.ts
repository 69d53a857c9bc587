/** Options of a trainer, checked; the recipe itself is the core's to judge. */

import { BigGanError } from "../base/errors.js";
import type { TrainerOptions } from "./api.js";

const BACKENDS: unknown[] = ["auto", "cpu", "webgpu", undefined];
const WORKERS: unknown[] = ["auto", "main", undefined];
const RESOLUTIONS: unknown[] = [16, 32, 64];

export function checkTrainerOptions({ data, recipe, checkpoint, backend, worker }: TrainerOptions) {
  if (!data || !recipe) refuse("bad-options", data ? "recipe" : "data", "nothing", "both");
  if (!BACKENDS.includes(backend)) refuse("bad-options", "backend", backend, '"auto", "cpu" or "webgpu"');
  if (typeof worker !== "function" && !WORKERS.includes(worker)) {
    refuse("bad-options", "worker", worker, '"auto", "main" or a function that starts the worker');
  }
  if (checkpoint !== undefined && !(checkpoint instanceof Blob)) {
    refuse("bad-options", "checkpoint", checkpoint, "a Blob of `save`");
  }
  const { resolution, classNames, labels, pixels } = data;
  if (!RESOLUTIONS.includes(resolution)) {
    refuse("bad-data", "data.resolution", resolution, "16, 32 or 64");
  }
  if (labels.length === 0) refuse("bad-data", "data.labels.length", 0, "one image at least");
  if (classNames.length === 0) refuse("bad-data", "data.classNames.length", 0, "one class at least");
  const bytes = labels.length * resolution ** 2 * 3;
  if (pixels.length !== bytes) {
    refuse("bad-data", "data.pixels.length", pixels.length, `${bytes}, 3 bytes a pixel`);
  }
  const wrong = labels.find((label) => label >= classNames.length);
  if (wrong !== undefined) {
    refuse("bad-data", "data.labels", wrong, `classes from 0 to ${classNames.length - 1}`);
  }
}

function refuse(
  code: "bad-options" | "bad-data",
  field: string,
  found: unknown,
  remedy: string,
): never {
  throw new BigGanError(code, `${field} is ${JSON.stringify(found)}; give ${remedy}`, { field });
}
