/** The files of a model, from any source. */

import type { ForeignModel, GeneratorOptions, LoadProgress } from "./api.js";
import { BigGanError, messageOf } from "../base/errors.js";
import { sha256 } from "../base/sha256.js";
import { CONFIG, fetchFile, type FileRequest, isForeign, isIndex, type ModelPart, nameOf, opened, verify } from "./file.js";
import type { Fit } from "./fit.js";
import { hubAddress, isHubName } from "./hub.js";
import { type ModelSize, readSize } from "./header.js";
import type { ModelFiles } from "./protocol.js";
import { Store } from "./store.js";

export interface Obtained {
  files: ModelFiles;
  /** SHA-256 of the file or the index. */
  id: string;
  bytes: number;
  /** Null if the files do not say: the core will. */
  size: ModelSize | null;
}

/** Part names that the core accepts. */
const PART_NAME = /^[\w-][\w.-]*\.safetensors$/;

export interface ObtainContext {
  fit: Fit;
  signal: AbortSignal;
  onProgress(progress: LoadProgress): void;
}

export async function obtain(
  { model, sha256, cache = true }: GeneratorOptions,
  context: ObtainContext,
): Promise<Obtained> {
  if (model instanceof Blob) return ofBlob(model, sha256, context);
  const store = cache ? await Store.open() : null;
  const common = { ...context, store, part: 1, parts: 1 };
  if (typeof model === "object" && "weights" in model) return ofForeign(model, sha256, context, common);
  const url = isHubName(model) ? await hubAddress(model, common) : addressOf(model);
  const request: FileRequest = { ...common, url, expected: sha256 };
  if (isForeign(url.pathname)) return ofForeignUrl(request, new URL(CONFIG, url), context.fit);
  return isIndex(url.pathname) ? ofParts(request, context.fit) : ofUrl(request, context.fit);
}

function addressOf(model: string | URL): URL {
  try {
    return new URL(model, globalThis.document?.baseURI ?? location.href);
  } catch {
    throw new BigGanError(
      "bad-options",
      `model is ${JSON.stringify(model)}; give an address or a file`,
      {
        field: "model",
      },
    );
  }
}

async function ofUrl(request: FileRequest, fit: Fit): Promise<Obtained> {
  const check = (size: ModelSize) => fit.check(size);
  const { file, sha256, size } = await fetchFile({ ...request, check });
  return { files: { kind: "file", file }, id: sha256, bytes: file.size, size };
}

/** `config` is the address of theirs, or its text. */
async function ofForeignUrl(request: FileRequest, config: URL | string | null, fit: Fit): Promise<Obtained> {
  // first, since it is small: without it the weights would be fetched for nothing
  const text = config instanceof URL ? await textOf(config, request) : config;
  const { file, sha256 } = await fetchFile(request);
  await fit.check({ file: file.size, f32: 0, largest: { name: "", f32: 0 } });
  const files = { kind: "foreign", weights: file, config: text } as const;
  return { files, id: sha256, bytes: file.size, size: null };
}

const textOf = async (url: URL, request: Omit<FileRequest, "url">): Promise<string> =>
  (await fetchFile({ ...request, url, expected: undefined })).file.text();

async function ofParts(request: FileRequest, fit: Fit): Promise<Obtained> {
  const { url, signal } = request;
  const index = await fetchFile(request);
  const { names, sha256s, stored } = await readIndex(index.file, nameOf(url));
  // values are stored in 8 bits each or more
  await fit.check({ file: stored, f32: stored, largest: { name: "", f32: 0 } });
  const most: ModelSize = { file: stored, f32: 4 * stored, largest: { name: "", f32: 4 * stored } };
  const urls = names.map((name) => new URL(name, url));
  const doubtful = await fit.check(most).then(
    () => false,
    () => true,
  );
  if (doubtful) await fit.check(merge(await peek(urls, signal)));

  const parts: ModelPart[] = [];
  for (const [place, part] of urls.entries()) {
    const expected = sha256s[place];
    parts.push(
      await fetchFile({ ...request, url: part, expected, part: place + 1, parts: urls.length }),
    );
  }
  const files = parts.map(({ file }, place) => ({ name: names[place]!, file }));
  return {
    files: { kind: "parts", index: index.file, parts: files },
    id: index.sha256,
    bytes: parts.reduce((sum, { file }) => sum + file.size, index.file.size),
    size: merge(parts.map(({ size }) => size).filter((size) => size !== null)),
  };
}

async function readIndex(file: Blob, name: string) {
  const refuse = (why: string, cause?: unknown): never => {
    throw new BigGanError("bad-model", `${name} ${why}; export the model again`, { cause });
  };
  try {
    const { metadata, weight_map } = JSON.parse(await file.text());
    const names = [...new Set(Object.values<string>(weight_map))].sort();
    const stored = Number(metadata.total_size);
    const sha256s = names.map((part): string => {
      if (!PART_NAME.test(part))
        refuse(`names ${JSON.stringify(part)}, which cannot be a part of a model`);
      return metadata.sha256?.[part] ?? refuse(`states no SHA-256 for ${part}`);
    });
    return { names, sha256s, stored };
  } catch (error) {
    if (error instanceof BigGanError) throw error;
    return refuse(`is not an index of a model (${messageOf(error)})`, error);
  }
}

/** Bytes of each part that usually contain its header. */
const PEEK_BYTES = 2 ** 18;

/** The sizes of parts from their headers alone; parts whose server gives none are left out. */
async function peek(urls: URL[], signal: AbortSignal): Promise<ModelSize[]> {
  const sizes: ModelSize[] = [];
  for (const url of urls) {
    const headers = { Range: `bytes=0-${PEEK_BYTES - 1}` };
    const response = await fetch(url, { headers, signal }).catch(() => null);
    signal.throwIfAborted();
    if (response?.status === 206) {
      const size = await readSize(await response.blob());
      if (size && size !== "more") sizes.push(size);
    } else await response?.body?.cancel();
  }
  return sizes;
}

function merge(sizes: ModelSize[]): ModelSize {
  const all: ModelSize = { file: 0, f32: 0, largest: { name: "", f32: 0 } };
  for (const { file, f32, largest } of sizes) {
    all.file += file;
    all.f32 += f32;
    if (largest.f32 > all.largest.f32) all.largest = largest;
  }
  return all;
}

async function ofBlob(
  file: Blob,
  expected: string | undefined,
  { fit, onProgress }: ObtainContext,
): Promise<Obtained> {
  const name = file instanceof File ? file.name : "the model";
  if (isIndex(name)) {
    throw new BigGanError(
      "bad-options",
      `${name} is an index, and its parts cannot be found from a file; give its address, or a model in one file`,
      { field: "model" },
    );
  }
  const size = await opened(readSize(file), name);
  if (size && size !== "more") await fit.check(size);
  onProgress({ phase: "verify", file: name });
  const id = await opened(sha256(file), name);
  verify(id, name, expected);
  return {
    files: { kind: "file", file },
    id,
    bytes: file.size,
    size: size === "more" ? null : size,
  };
}

async function ofForeign(
  { weights, config }: ForeignModel,
  expected: string | undefined,
  { fit, onProgress }: ObtainContext,
  request: Omit<FileRequest, "url">,
): Promise<Obtained> {
  const given = config instanceof Blob ? await opened(config.text(), "the config") : (config ?? null);
  if (!(weights instanceof Blob)) {
    return ofForeignUrl({ ...request, url: addressOf(weights), expected }, given, fit);
  }
  const text = given instanceof URL ? await textOf(given, request) : given;
  const name = weights instanceof File ? weights.name : "the weights";
  await fit.check({ file: weights.size, f32: 0, largest: { name: "", f32: 0 } });
  onProgress({ phase: "verify", file: name });
  const id = await opened(sha256(weights), name);
  verify(id, name, expected);
  return {
    files: { kind: "foreign", weights, config: text },
    id,
    bytes: weights.size,
    size: null,
  };
}
