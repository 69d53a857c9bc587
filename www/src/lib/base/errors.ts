/** The one error of the package. */

/** What went wrong: a word for programs. An aborted call rejects with its signal's own reason instead. */
export type ErrorCode =
  /** An option or a request is out of range; `field` names it. */
  | "bad-options"
  | "bad-request"
  /** The file is not a model that this version reads. */
  | "bad-model"
  /** Images that cannot be trained on, or a checkpoint of another version, other images or networks. */
  | "bad-data"
  | "bad-checkpoint"
  /** Training produced a value that is not finite; the trainer is back at its last checkpoint. */
  | "diverged"
  /** The browser's storage is full or denied. */
  | "storage"
  /** A file could not be fetched; `numbers.status` is the server's status, if it answered. */
  | "network"
  /** The SHA-256 of a file is not the expected one. */
  | "integrity"
  /** The model or the run does not fit on the device: `numbers.needed` and `numbers.available` are bytes. */
  | "too-large"
  /** The worker or the GPU failed, and restarting failed too. */
  | "fault"
  /** The generator or the trainer was disposed of. */
  | "disposed"
  /** The browser lacks something. */
  | "unsupported";

export class BigGanError extends Error {
  override name = "BigGanError";

  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly details: {
      /** Name of the option or of the part of the request, e.g. `truncation` or `pictures[2].from.z.seed`. */
      field?: string;
      /** The numbers of the message, by name. */
      numbers?: Record<string, number>;
      cause?: unknown;
    } = {},
  ) {
    super(message, "cause" in details ? { cause: details.cause } : {});
  }

  get field(): string | undefined {
    return this.details.field;
  }

  get numbers(): Record<string, number> {
    return this.details.numbers ?? {};
  }
}

export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
