/** Resumable download of a file. */

import { sleep } from "../base/abort.js";
import { chunksOf } from "../base/chunks.js";
import { BigGanError, messageOf } from "../base/errors.js";
import { hashesAtOnce, Sha256, sha256AtOnce } from "../base/sha256.js";
import { sameVersion, type Store, type Version } from "./store.js";

/** At most this much is lost when the page is closed during a download. */
const PIECE_BYTES = 8 * 2 ** 20;
/** Delays between retries while nothing arrives. */
const RETRY_AFTER_MS = [500, 1000, 2000];

export interface DownloadRequest {
  url: URL;
  /** Whether the content is checked against a known SHA-256 afterwards. */
  checked: boolean;
  store: Store | null;
  signal: AbortSignal;
  onProgress(received: number, total: number | null, resumedAt: number): void;
  /** Inspects the growing file until it returns true, and throws to refuse it. */
  onBeginning(file: Blob): Promise<boolean>;
}

export interface Downloaded {
  file: Blob;
  sha256: string;
  version: Version;
}

/** Fetches a file, hashes it as it comes, and resumes it by Range when the connection breaks. */
export async function download(request: DownloadRequest): Promise<Downloaded> {
  const transfer = new Transfer(request);
  await transfer.restore();
  let furthest = transfer.received;
  for (let failures = 0; ; ) {
    try {
      return await transfer.run();
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
      await transfer.save();
      request.signal.throwIfAborted();
      failures = transfer.received > furthest ? 0 : failures + 1;
      furthest = Math.max(furthest, transfer.received);
      const wait = RETRY_AFTER_MS[failures];
      if (wait === undefined) throw error.final;
      await sleep(wait, request.signal);
    }
  }
}

/** A failure that a retry may fix. */
class Broken extends Error {
  constructor(readonly final: BigGanError) {
    super(final.message);
  }
}

/** Whether a server that answered with a status may answer better later: it is busy or broken. */
export const mayRecover = (status: number): boolean =>
  status === 408 || status === 429 || (status >= 500 && status !== 501);

/** What a response, whole or partial, says about the file. */
export function versionOf(response: Response): Version {
  const { headers, status } = response;
  // a compressed response states the length of the transfer, not of the file
  const stated = headers.has("Content-Encoding") ? null : headers.get("Content-Length");
  const whole = stated === null ? null : Number(stated);
  return {
    etag: headers.get("ETag"),
    lastModified: headers.get("Last-Modified"),
    length: status === 206 ? (rangeOf(response)?.total ?? null) : whole,
  };
}

/** Where a partial response begins, and the bytes of the whole file. */
function rangeOf({ headers }: Response): { from: number; total: number } | null {
  const found = /^bytes (\d+)-\d+\/(\d+)$/.exec(headers.get("Content-Range") ?? "");
  return found && { from: Number(found[1]), total: Number(found[2]) };
}

class Transfer {
  /** Received data in pieces, and what was received since. */
  #pieces: Blob[] = [];
  readonly #buffer = new Uint8Array(PIECE_BYTES);
  #freshBytes = 0;
  /** Of all received data, unless they are hashed at once. */
  #hash = new Sha256();
  /** Whether the file fits into the buffer, where the browser hashes it when it is whole. */
  #atOnce = false;
  #version: Version | undefined;
  #resumedAt = 0;
  #beginningSeen = false;
  #tried = false;
  received = 0;

  constructor(private readonly request: DownloadRequest) {}

  /** Takes over what an earlier page left. */
  async restore(): Promise<void> {
    const left = await this.request.store?.pieces(this.request.url);
    if (!left) return;
    try {
      for (const piece of left.pieces) await this.#hash.updateFile(piece);
    } catch {
      // damaged on disk
      return this.#startAnew();
    }
    this.#pieces = left.pieces;
    this.#version = left.version;
    this.received = sizeOf(left.pieces);
  }

  /** One connection, until the file is complete. */
  async run(): Promise<Downloaded> {
    const response = await this.#connect();
    const total = await this.#adopt(response);
    this.#report(total);
    this.#atOnce = total !== null && total <= PIECE_BYTES && this.received === 0 && hashesAtOnce();
    const chunks = chunksOf(response.body!);
    try {
      await this.#showBeginning();
      for (;;) {
        const { done, value } = await this.#network(() => chunks.next());
        if (done) break;
        await this.#take(value);
        this.#report(total);
      }
    } finally {
      await chunks.return();
    }
    if (total !== null && this.received < total) {
      throw this.#broken(`the connection ended after ${this.received} of ${total} bytes`);
    }
    const sha256 = this.#atOnce ? await sha256AtOnce(this.#fresh) : this.#hash.hex();
    return { file: this.#file, sha256, version: this.#version! };
  }

  /** Stores received data for the next try or page. */
  async save(): Promise<void> {
    const { store, url } = this.request;
    if (this.#freshBytes === 0) return;
    const piece = this.#fresh;
    if (this.#atOnce) this.#hash.update(piece);
    this.#atOnce = false;
    let stored: Blob | null = null;
    if (store && this.#version) {
      const note = { version: this.#version, at: this.received - piece.length };
      stored = await store.keepPiece(url, this.#pieces.length, piece, note);
    }
    this.#pieces.push(stored ?? new Blob([piece]));
    this.#freshBytes = 0;
  }

  get #fresh(): Uint8Array<ArrayBuffer> {
    return this.#buffer.subarray(0, this.#freshBytes);
  }

  /** All received data; the browser keeps them out of the page's memory. */
  get #file(): Blob {
    return new Blob([...this.#pieces, this.#fresh]);
  }

  async #connect(): Promise<Response> {
    const { url, signal } = this.request;
    const headers: HeadersInit = this.received > 0 ? { Range: `bytes=${this.received}-` } : {};
    // the browser's HTTP cache also keeps incomplete responses and resumes them in its own way
    const cache = this.received > 0 || this.#tried ? "no-store" : "default";
    this.#tried = true;
    const response = await this.#network(() => fetch(url, { headers, cache, signal }));
    if (response.ok && response.body) return response;
    await response.body?.cancel();
    if (response.status === 416) await this.#startAnew();
    const { status, statusText } = response;
    const error = new BigGanError(
      "network",
      `${url}: the server answered ${status} ${statusText}`.trimEnd(),
      { numbers: { status } },
    );
    throw status === 416 || mayRecover(status) ? new Broken(error) : error;
  }

  /** Appends a response to the received data, or starts over with it; returns the bytes of the whole file. */
  async #adopt(response: Response): Promise<number | null> {
    const partial = response.status === 206;
    const version = versionOf(response);
    if (partial && !this.#continues(response, version)) {
      await response.body!.cancel();
      await this.#startAnew();
      throw this.#broken("the server continued with a different file");
    }
    if (!partial && this.received > 0) await this.#startAnew();
    this.#version = version;
    this.#resumedAt = this.received;
    return version.length;
  }

  /** Only a range of the same file that begins here may be appended. */
  #continues(response: Response, version: Version): boolean {
    if (rangeOf(response)?.from !== this.received || !this.#version) return false;
    if (sameVersion(this.#version, version)) return true;
    // without validators the SHA-256 will tell
    const silent = version.etag === null && version.lastModified === null;
    return this.request.checked && silent && this.#version.length === version.length;
  }

  async #startAnew(): Promise<void> {
    [this.#pieces, this.#freshBytes, this.received] = [[], 0, 0];
    [this.#hash, this.#version, this.#beginningSeen] = [new Sha256(), undefined, false];
    await this.request.store?.dropPieces(this.request.url);
  }

  async #take(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    for (let left = bytes; left.length > 0; ) {
      const part = left.subarray(0, PIECE_BYTES - this.#freshBytes);
      if (!this.#atOnce) this.#hash.update(part);
      this.#buffer.set(part, this.#freshBytes);
      this.#freshBytes += part.length;
      this.received += part.length;
      left = left.subarray(part.length);
      if (this.#freshBytes === PIECE_BYTES) await this.save();
    }
    await this.#showBeginning();
  }

  async #showBeginning(): Promise<void> {
    if (this.#beginningSeen || this.received === 0) return;
    this.#beginningSeen = await this.request.onBeginning(this.#file);
  }

  async #network<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      throw this.#broken(messageOf(error));
    }
  }

  #broken(why: string): Broken {
    const { url } = this.request;
    return new Broken(
      new BigGanError(
        "network",
        `${url} could not be fetched: ${why}; check the address and the connection`,
      ),
    );
  }

  #report(total: number | null): void {
    this.request.onProgress(this.received, total, this.#resumedAt);
  }
}

const sizeOf = (blobs: Blob[]) => blobs.reduce((sum, { size }) => sum + size, 0);
