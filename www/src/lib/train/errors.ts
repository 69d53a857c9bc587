/** A trainer's errors. */

import { FaultError } from "../base/engine.js";
import { BigGanError, kindOf, messageOf } from "../base/errors.js";
import { faultOf } from "../base/lasting-engine.js";

export const badCheckpoint = (cause: unknown): BigGanError =>
  new BigGanError("bad-checkpoint", messageOf(cause), { cause });

/** Why a training did not begin, by what the core finds at fault. */
export function refused(cause: unknown, checkpoint: Blob | null = null, networks?: Blob): BigGanError {
  if (cause instanceof BigGanError) return cause;
  const message = messageOf(cause);
  switch (kindOf(cause)) {
    case "config":
      return new BigGanError("bad-options", `the recipe cannot be trained: ${message}`, {
        field: "recipe",
        cause,
      });
    case "request":
      return new BigGanError("bad-data", message, { cause });
    case "memory":
      return new BigGanError("too-large", message, { cause });
    default:
      if (checkpoint) return badCheckpoint(cause);
      return networks
        ? new BigGanError("bad-model", message, { cause })
        : new BigGanError("fault", `training did not start: ${message}`, { cause });
  }
}

/** What ends a step: a value that is not finite is of the training, all else a fault of what computes it. */
export function stepFailed(error: unknown): never {
  throw kindOf(error) === "not-finite" ? error : (faultOf(error) ?? new FaultError(messageOf(error)));
}

/** A value that is not finite. */
export const diverged = (cause: unknown, from: number, backAt: number): BigGanError =>
  new BigGanError(
    "diverged",
    `${messageOf(cause)}. The training is back at step ${backAt} of G, from step ${from}`,
    { cause },
  );
