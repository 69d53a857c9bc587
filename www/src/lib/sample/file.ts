/** A file of a model, from this browser's store or from the network, with its SHA-256 verified. */

import type { LoadProgress } from "./api.js";
import { download } from "./download.js";
import { BigGanError } from "../base/errors.js";
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
  /** Empty if the browser has no hashes. */
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

/** The SHA-256 of a file, which must be the expected one. */
export async function verify(
  file: Blob,
  name: string,
  expected: string | undefined,
): Promise<string> {
  const found = await sha256(file);
  if (expected === undefined) return found ?? "";
  if (found === null) {
    throw new BigGanError(
      "unsupported",
      `the SHA-256 of ${name} cannot be checked: browsers have hashes on pages from https or localhost only`,
    );
  }
  if (found === expected) return found;
  throw new BigGanError(
    "integrity",
    `the SHA-256 of ${name} is ${found}, expected ${expected}; fetch or export the model again`,
  );
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
  const found = await sha256(file);
  if (expected !== undefined && found !== expected) {
    // another version, or damaged on disk
    await store.dropModel(url);
    return null;
  }
  const size = await readSize(file);
  if (size !== "more" && size) await request.check?.(size);
  return { file, sha256: found ?? "", size: size === "more" ? null : size };
}

/** Whether the server still has the stored version; without a network it counts as current. */
async function isCurrent({ url, signal }: FileRequest, { version }: Kept): Promise<boolean> {
  let response: Response;
  try {
    response = await fetch(url, { method: "HEAD", cache: "no-cache", signal });
  } catch {
    signal.throwIfAborted();
    return true;
  }
  const { headers } = response;
  const length = headers.has("Content-Encoding") ? null : headers.get("Content-Length");
  return (
    response.ok &&
    sameVersion(version, {
      etag: headers.get("ETag"),
      lastModified: headers.get("Last-Modified"),
      length: length === null ? null : Number(length),
    })
  );
}

async function fromNetwork(request: FileRequest): Promise<ModelPart> {
  const { url, expected, store, signal, onProgress } = request;
  const name = nameOf(url);
  let size: ModelSize | null = null;
  for (let resumed = false; ; ) {
    const { file, version } = await download({
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
      const found = await verify(file, name, expected);
      await store?.keepModel(url, { file, version });
      return { file, sha256: found, size };
    } catch (error) {
      await store?.dropPieces(url);
      // a joined file may mix two versions: fetch it once more as a whole
      if (!resumed) throw error;
      resumed = false;
    }
  }
}

export const nameOf = (url: URL): string =>
  decodeURIComponent(url.pathname.split("/").at(-1) || url.host);
