/** A trainer's errors. */

import { NoWorkerError } from "../base/engine.js";
import { BigGanError, messageOf } from "../base/errors.js";

/** The error when no engine starts, with a remedy if the page was to start the worker itself. */
export function startRefused(error: BigGanError): BigGanError {
  const { cause } = error;
  if (!(cause instanceof NoWorkerError)) return error;
  return new BigGanError(
    "unsupported",
    `the page's worker did not start (${cause.message}); serve train-worker.js from the page's own origin, or ` +
      'give "worker": "main"',
    { field: "worker", cause },
  );
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
