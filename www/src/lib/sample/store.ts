/**
 * Models stored in this browser, in the Cache API rather than OPFS: windows and workers of every browser have it
 * with the same calls, an entry appears completely or not at all, and its Blob stays on disk. Pieces of an
 * interrupted download are separate entries, so that the next page continues where this one stopped.
 */

import { withLimit } from "../base/abort.js";

const MODELS = "biggan-models-1";
const PIECES = "biggan-pieces-1";
/** Header of an entry with its description. */
const NOTE_HEADER = "x-biggan-note";

/** What a server says about a file, to recognise it; null if it does not say (or not to another origin). */
export interface Version {
  etag: string | null;
  lastModified: string | null;
  /** Bytes of the whole file. */
  length: number | null;
}

/** Whether two responses certainly have the same bytes. */
export function sameVersion(a: Version, b: Version): boolean {
  const differ = (x: unknown, y: unknown) => x !== null && y !== null && x !== y;
  if (differ(a.length, b.length) || differ(a.lastModified, b.lastModified)) return false;
  if (a.etag !== null && b.etag !== null) return a.etag === b.etag;
  return a.lastModified !== null && a.lastModified === b.lastModified;
}

export interface Kept {
  file: Blob;
  version: Version;
  /** Offset of a piece in the file. */
  at?: number;
}

/** A browser that works answers sooner, and writes faster. */
const ANSWER_LIMIT_MS = 10_000;
const SLOWEST_BYTES_PER_MS = 5_000;

/**
 * A store that fails is no error: what it cannot give comes from the network, and what it cannot take comes from there
 * the next time. One that does not answer is not asked again.
 */
export class Store {
  #silent = false;

  private constructor(
    private readonly models: Cache,
    private readonly parts: Cache,
  ) {}

  /** Null if the page has no Cache API: it is neither https nor localhost, or is sandboxed. */
  static async open(): Promise<Store | null> {
    const opening = async () => new Store(await caches.open(MODELS), await caches.open(PIECES));
    return withLimit(opening(), ANSWER_LIMIT_MS).catch(() => null);
  }

  model(url: URL): Promise<Kept | null> {
    return this.#ask(() => read(this.models, url), null);
  }

  /** Stores a complete file in place of its pieces. */
  async keepModel(url: URL, kept: Kept): Promise<void> {
    await this.#ask(() => write(this.models, url, kept), undefined, kept.file.size);
    await this.dropPieces(url);
  }

  async dropModel(url: URL): Promise<void> {
    await this.#ask(() => this.models.delete(url), false);
  }

  /** The beginning of a file, from its pieces. */
  async pieces(url: URL): Promise<{ pieces: Blob[]; version: Version } | null> {
    const pieces: Blob[] = [];
    let version: Version | undefined;
    for (let received = 0; ; ) {
      const piece = await this.#ask(() => read(this.parts, pieceUrl(url, pieces.length)), null);
      // a browser may have dropped some, and pieces of another version may be left
      if (piece?.at !== received || (version && !sameVersion(version, piece.version))) break;
      version ??= piece.version;
      pieces.push(piece.file);
      received += piece.file.size;
    }
    return version ? { pieces, version } : null;
  }

  keepPiece(url: URL, number: number, kept: Kept): Promise<void> {
    return this.#ask(() => write(this.parts, pieceUrl(url, number), kept), undefined, kept.file.size);
  }

  async dropPieces(url: URL): Promise<void> {
    const drop = (number: number) => this.#ask(() => this.parts.delete(pieceUrl(url, number)), false);
    for (let number = 0; await drop(number); number++);
  }

  /** `bytes` are those to write. */
  async #ask<T>(task: () => Promise<T>, otherwise: T, bytes = 0): Promise<T> {
    if (this.#silent) return otherwise;
    const answer = task().catch(() => otherwise);
    return withLimit(answer, ANSWER_LIMIT_MS + bytes / SLOWEST_BYTES_PER_MS).catch(() => {
      this.#silent = true;
      return otherwise;
    });
  }
}

function pieceUrl(url: URL, number: number): URL {
  const piece = new URL(url);
  piece.searchParams.set("biggan-piece", String(number));
  return piece;
}

async function read(cache: Cache, url: URL): Promise<Kept | null> {
  const response = await cache.match(url);
  const note = response?.headers.get(NOTE_HEADER);
  if (!response || !note) return null;
  return { ...JSON.parse(note), file: await response.blob() };
}

async function write(cache: Cache, url: URL, { file, ...rest }: Kept): Promise<void> {
  const headers = { [NOTE_HEADER]: JSON.stringify(rest) };
  await cache.put(url, new Response(file, { headers }));
}
