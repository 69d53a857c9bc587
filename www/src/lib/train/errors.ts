/** What a trainer says of what went wrong below it. */

import { NoWorkerError } from "../base/engine.js";
import { BigGanError, messageOf } from "../base/errors.js";
import type { TrainerOptions } from "./api.js";

/** Why no engine came up. */
export const refuseBackend =
  ({ backend }: TrainerOptions) =>
  (cause: unknown): never => {
    if (cause instanceof BigGanError) throw cause;
    if (cause instanceof NoWorkerError) {
      throw new BigGanError(
        "unsupported",
        `the package's worker did not start (${cause.message}); give "worker": a function that starts ` +
          'train-worker.js from the page\'s own origin, or "main"',
        { field: "worker", cause },
      );
    }
    const [code, remedy] =
      backend === "webgpu"
        ? (["unsupported", '; use the backend "auto" or "cpu"'] as const)
        : (["fault", ""] as const);
    throw new BigGanError(code, `training did not start: ${messageOf(cause)}${remedy}`, { cause });
  };

/** The engine broke, again. */
export function faultError(cause: unknown): BigGanError {
  if (cause instanceof BigGanError) return cause;
  const message = `training failed, and so did starting it again: ${messageOf(cause)}`;
  return new BigGanError("fault", message, { cause });
}

export const badCheckpoint = (cause: unknown): BigGanError =>
  new BigGanError("bad-checkpoint", messageOf(cause), { cause });

/** A recipe that the core cannot build. */
export const badRecipe = (cause: unknown): BigGanError =>
  new BigGanError(
    "bad-options",
    `the recipe cannot be trained: ${messageOf(cause).replace(/^config: /, "")}`,
    { field: "recipe", cause },
  );

/** A value that is not finite. */
export const diverged = (cause: unknown, from: number, backAt: number): BigGanError =>
  new BigGanError(
    "diverged",
    `${messageOf(cause)}. The training is back at step ${backAt} of G, from step ${from}`,
    { cause },
  );
