/**
 * Models stored in this browser, in the Cache API rather than OPFS: windows and workers of every browser have it
 * with the same calls, an entry appears completely or not at all, and its Blob stays on disk. Pieces of an
 * interrupted download are separate entries, so that the next page continues where this one stopped.
 */

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

export class Store {
  private constructor(
    private readonly models: Cache,
    private readonly parts: Cache,
  ) {}

  /** Null if the page has no Cache API: it is neither https nor localhost, or is sandboxed. */
  static async open(): Promise<Store | null> {
    try {
      return new Store(await caches.open(MODELS), await caches.open(PIECES));
    } catch {
      return null;
    }
  }

  model(url: URL): Promise<Kept | null> {
    return read(this.models, url);
  }

  /** Stores a complete file in place of its pieces. */
  async keepModel(url: URL, kept: Kept): Promise<void> {
    await write(this.models, url, kept);
    await this.dropPieces(url);
  }

  async dropModel(url: URL): Promise<void> {
    await this.models.delete(url);
  }

  /** The beginning of a file, from its pieces. */
  async pieces(url: URL): Promise<{ pieces: Blob[]; version: Version } | null> {
    const pieces: Blob[] = [];
    let version: Version | undefined;
    for (let received = 0; ; ) {
      const piece = await read(this.parts, pieceUrl(url, pieces.length));
      // a browser may have dropped some, and pieces of another version may be left
      if (piece?.at !== received || (version && !sameVersion(version, piece.version))) break;
      version ??= piece.version;
      pieces.push(piece.file);
      received += piece.file.size;
    }
    return version ? { pieces, version } : null;
  }

  keepPiece(url: URL, number: number, kept: Kept): Promise<void> {
    return write(this.parts, pieceUrl(url, number), kept);
  }

  async dropPieces(url: URL): Promise<void> {
    for (let number = 0; await this.parts.delete(pieceUrl(url, number)); number++);
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

/** A full disk is not an error: the file is fetched from the network again. */
async function write(cache: Cache, url: URL, { file, ...rest }: Kept): Promise<void> {
  const headers = { [NOTE_HEADER]: JSON.stringify(rest) };
  await cache.put(url, new Response(file, { headers })).catch(() => {});
}
