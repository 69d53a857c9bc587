/** A file of a model, from this browser's store or from the network, with its SHA-256. */

import type { LoadProgress } from "./api.js";
import { download, mayRecover, versionOf } from "./download.js";
import { BigGanError, messageOf } from "../base/errors.js";
import { type ModelSize, readSize } from "./header.js";
import { sha256 } from "../base/sha256.js";
import { type Kept, sameVersion, type Store } from "./store.js";

export interface FileRequest {
  url: URL;
  /** Expected SHA-256. */
  expected?: string | undefined;
  part: number;
  parts: number;
  store: Store | null;
  signal: AbortSignal;
  onProgress(progress: LoadProgress): void;
  /** Inspects the sizes before the weights arrive, and throws to refuse them. */
  check?(size: ModelSize): Promise<void>;
}

export interface ModelPart {
  file: Blob;
  sha256: string;
  /** Null if it is not a safetensors file. */
  size: ModelSize | null;
}

/** Tells of a download. */
const tell = (
  { url, part, parts, onProgress }: FileRequest,
  received: number,
  total: number | null,
  more: { cached: boolean; resumedAt: number },
) => onProgress({ phase: "download", file: nameOf(url), received, total, part, parts, ...more });

export async function fetchFile(request: FileRequest): Promise<ModelPart> {
  return (await fromStore(request)) ?? (await fromNetwork(request));
}

/** Refuses a file whose SHA-256 is another than the expected one. */
export function verify(found: string, name: string, expected: string | undefined): void {
  if (expected === undefined || found === expected) return;
  throw new BigGanError(
    "integrity",
    `the SHA-256 of ${name} is ${found}, expected ${expected}; fetch or export the model again`,
  );
}

/** What is read of a file, which may be gone or locked, or larger than what the browser reads at once. */
export async function opened<T>(reading: Promise<T>, name: string): Promise<T> {
  try {
    return await reading;
  } catch (cause) {
    throw new BigGanError("bad-model", `${name} cannot be read (${messageOf(cause)}); choose it again`, { cause });
  }
}

async function fromStore(request: FileRequest): Promise<ModelPart | null> {
  const { url, expected, store, onProgress } = request;
  const kept = await store?.model(url);
  if (!store || !kept) return null;
  if (expected === undefined && !(await isCurrent(request, kept))) return null;
  const { file } = kept;
  const { size: total } = file;
  tell(request, total, total, { cached: true, resumedAt: 0 });
  onProgress({ phase: "verify", file: nameOf(url) });
  try {
    const found = kept.sha256 ?? (await sha256(file));
    const size = await readSize(file);
    if (expected === undefined ? await isWhole(url, file, size) : found === expected) {
      if (size !== "more" && size) await request.check?.(size);
      return { file, sha256: found, size: size === "more" ? null : size };
    }
  } catch (error) {
    // of the check; all else is a file that is damaged on disk
    if (error instanceof BigGanError) throw error;
  }
  // another version, or damaged
  await store.dropModel(url);
  return null;
}

/** A server that does not answer so long counts as one that cannot be reached. */
const CHECK_LIMIT_MS = 10_000;

/** Whether the server still has the stored version; where it cannot be asked, or is out of order, that counts as current. */
async function isCurrent({ url, signal }: FileRequest, { version }: Kept): Promise<boolean> {
  // some servers answer no HEAD, or sign addresses for GET alone
  const requests: RequestInit[] = [{ method: "HEAD" }, { headers: { Range: "bytes=0-0" } }];
  for (const request of requests) {
    let response: Response;
    try {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(CHECK_LIMIT_MS)]);
      response = await fetch(url, { ...request, cache: "no-store", signal: limit });
    } catch {
      signal.throwIfAborted();
      return true;
    }
    await response.body?.cancel();
    if (mayRecover(response.status)) return true;
    const now = versionOf(response);
    const says = now.etag !== null || now.lastModified !== null;
    if (response.ok && says) return sameVersion(version, now);
  }
  return false;
}

/** Whether a name or path is that of a shard index, as written by `native-train export --shard-size`. */
export const isIndex = (name: string): boolean => name.endsWith(INDEX);
/** End of the name of an index, after that of a model. */
export const INDEX = ".index.json";

/** Whether a name or path is that of another program's weights, which PyTorch wrote. */
export const isForeign = (name: string): boolean => /\.(bin|pth|pt|ckpt)$/i.test(name);
/** The name of the config next to them. */
export const CONFIG = "config.json";

/** Whether it can be what was asked for; a short answer, or a page that says what is wrong, is never kept. */
async function isWhole(url: URL, file: Blob, size: ModelSize | "more" | null): Promise<boolean> {
  const { pathname } = url;
  const has = (read: (json: object) => boolean) =>
    file.text().then((text) => read(JSON.parse(text))).catch(() => false);
  if (isIndex(pathname)) return has((index) => "weight_map" in index);
  if (pathname.endsWith(`/${CONFIG}`)) return has((config) => typeof config === "object");
  // what a hub lists of a repository
  if (pathname.startsWith("/api/")) return has((listing) => "siblings" in listing);
  if (isForeign(pathname)) return isWholeArchive(file);
  return size !== null && size !== "more" && file.size >= size.file;
}

/** Whether a ZIP archive has its end; what PyTorch wrote before 1.6 is a pickle, whose end says nothing. */
async function isWholeArchive(file: Blob): Promise<boolean> {
  const text = async (part: Blob) => new TextDecoder("latin1").decode(await part.arrayBuffer());
  const start = await text(file.slice(0, 4));
  if (start !== "PK\x03\x04") return start.startsWith("\x80");
  // the end's record has 22 bytes, and a comment that nobody writes
  return (await text(file.slice(-1024))).includes("PK\x05\x06");
}

async function fromNetwork(request: FileRequest): Promise<ModelPart> {
  const { url, expected, store, signal, onProgress } = request;
  const name = nameOf(url);
  let size: ModelSize | null = null;
  for (let resumed = false; ; ) {
    const { file, version, sha256 } = await download({
      url,
      checked: expected !== undefined,
      store,
      signal,
      onProgress(received, total, resumedAt) {
        resumed = resumedAt > 0;
        tell(request, received, total, { cached: false, resumedAt });
      },
      async onBeginning(beginning) {
        const found = await readSize(beginning);
        if (found === "more") return false;
        size = found;
        if (size) await request.check?.(size);
        return true;
      },
    });
    onProgress({ phase: "verify", file: name });
    try {
      verify(sha256, name, expected);
      const whole = expected !== undefined || (await isWhole(url, file, size));
      if (!whole) await store?.dropPieces(url);
      const stored = whole ? await store?.keepModel(url, file, { version, sha256 }) : null;
      return { file: stored ?? file, sha256, size };
    } catch (error) {
      await store?.dropPieces(url);
      // a joined file may mix two versions: fetch it once more as a whole
      if (!resumed) throw error;
      resumed = false;
    }
  }
}

export function nameOf(url: URL): string {
  const name = url.pathname.split("/").at(-1) || url.host;
  try {
    return decodeURIComponent(name);
  } catch {
    // a % that stands for itself
    return name;
  }
}
