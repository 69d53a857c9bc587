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
  /**
   * The model or the training does not fit on the device: `numbers.needed` and `numbers.available` are bytes, where
   * they are known.
   */
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

/** Which part of a call the core found at fault: its `ErrorKind`. */
export type CoreErrorKind =
  | "config"
  | "file"
  | "request"
  | "tensor"
  | "not-finite"
  | "memory"
  | "device";

/** What the core says of an error besides its message; the wasm builds throw errors with these properties. */
export interface CoreErrorFields {
  kind: CoreErrorKind;
  thing: string;
  place?: string;
  found?: string;
  expected?: string;
  remedy?: string;
}

/** An error as a worker sends it: on the way an `Error` would lose its properties. */
export type ErrorData = { message: string } & Partial<CoreErrorFields>;

const FIELDS = ["kind", "thing", "place", "found", "expected", "remedy"] as const;

export function dataOf(error: unknown): ErrorData {
  const data: ErrorData = { message: messageOf(error) };
  const given = Object(error) as Partial<CoreErrorFields>;
  for (const field of FIELDS) if (field in given) Object.assign(data, { [field]: given[field] });
  return data;
}

/** The inverse of {@link dataOf}. */
export const errorOf = ({ message, ...fields }: ErrorData): Error =>
  Object.assign(new Error(message), fields);

/** The kind of an error of the core; none of others. */
export const kindOf = (error: unknown): CoreErrorKind | undefined =>
  (Object(error) as Partial<CoreErrorFields>).kind;

export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
