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

/** What is stored with a file, or a piece of one. */
export interface Note {
  version: Version;
  /** Of a model, computed from the very bytes that are stored with it; an old entry has none. */
  sha256?: string;
  /** Offset of a piece in the file. */
  at?: number;
}

export interface Kept extends Note {
  file: Blob;
}

type Bytes = Uint8Array<ArrayBuffer>;

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

  /** Stores a complete file in place of its pieces; returns it as stored, or null if it cannot be. */
  async keepModel(url: URL, file: Blob, note: Note): Promise<Blob | null> {
    const stored = await this.#keep(this.models, url, file, note);
    await this.dropPieces(url);
    return stored;
  }

  /** All complete files. */
  async all(): Promise<(Kept & { url: URL })[]> {
    const files = async () => {
      const found = await Promise.all(
        (await this.models.keys()).map(async ({ url }) => ({ url: new URL(url), kept: await read(this.models, new URL(url)) })),
      );
      return found.flatMap(({ url, kept }) => (kept ? [{ ...kept, url }] : []));
    };
    return this.#ask(files, []);
  }

  /** Bytes of complete files and of pieces. */
  async size(): Promise<number> {
    const sizes = async (cache: Cache) => (await cache.matchAll()).map(async (response) => (await response.blob()).size);
    const all = async () => Promise.all([...(await sizes(this.models)), ...(await sizes(this.parts))]);
    return (await this.#ask(all, [])).reduce((sum, size) => sum + size, 0);
  }

  /** Forgets a file and its pieces. */
  async forget(url: URL): Promise<void> {
    await this.dropModel(url);
    await this.dropPieces(url);
  }

  async clear(): Promise<void> {
    for (const cache of [this.models, this.parts]) {
      await this.#ask(async () => {
        for (const request of await cache.keys()) await cache.delete(request);
      }, undefined);
    }
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

  /** As `keepModel`, of a piece. */
  keepPiece(url: URL, number: number, piece: Bytes, note: Note): Promise<Blob | null> {
    return this.#keep(this.parts, pieceUrl(url, number), piece, note);
  }

  async dropPieces(url: URL): Promise<void> {
    const drop = (number: number) => this.#ask(() => this.parts.delete(pieceUrl(url, number)), false);
    for (let number = 0; await drop(number); number++);
  }

  /** What was kept is read back: it is on disk, while the file that came may be in memory. */
  #keep(cache: Cache, url: URL, file: Blob | Bytes, note: Note): Promise<Blob | null> {
    const bytes = file instanceof Blob ? file.size : file.length;
    const keep = async () => {
      const text = JSON.stringify({ ...note, bytes });
      await cache.put(url, new Response(file, { headers: { [NOTE_HEADER]: text } }));
      const stored = await cache.match(url);
      // another page may write there, too
      return stored?.headers.get(NOTE_HEADER) === text ? stored.blob() : null;
    };
    return this.#ask(keep, null, bytes);
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
  const file = await response.blob();
  const { bytes = file.size, ...about } = JSON.parse(note);
  // what the note says must be about this file
  return bytes === file.size ? { ...about, file } : null;
}
