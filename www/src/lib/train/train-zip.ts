/**
 * The files in a zip. A file of its own in the package, fetched when it is needed. A zip may be made to do harm: what it
 * states is held against bounds before anything is unpacked, and what comes out against what it states.
 */

import {
  BlobReader,
  configure,
  type Entry,
  ERR_ENCRYPTED_CENTRAL_DIRECTORY,
  ERR_INVALID_CRC32,
  ERR_INVALID_UNCOMPRESSED_SIZE,
  ERR_SPLIT_ZIP_FILE,
  type FileEntry,
  ZipReader,
} from "@zip.js/zip.js/lib/zip-core-custom.js";
import { messageOf } from "../base/errors.js";
import type { Finding } from "./findings.js";
import type { PictureFile } from "./folder.js";
import { hasPictureEnding, isHidden } from "./picture-kinds.js";
import type { OpenedZips } from "./opened-zips.js";
import type { Zipped } from "./zipped.js";

/** Most files of a zip, as of a drop. */
export const MOST_FILES = 50_000;
/** Most bytes that all of them unpack to. They are unpacked one by one, so this bounds time and not memory. */
export const MOST_BYTES = 4e9;
/** Most bytes of one of them: the crate `biggan-pictures` reads no larger file. */
const MOST_FILE_BYTES = 256 * 2 ** 20;
/** Methods that are unpacked: stored and deflated. */
const METHODS = [0, 8];

const AGAIN = "pack the folder again, or unpack it and give the folder";

// the browser's own decompression, in no worker but that of the browser
configure({ useWebWorkers: false });

/** Why a zip is not read. */
class Refusal extends Error {
  constructor(
    message: string,
    readonly remedy: string,
  ) {
    super(message);
  }
}

/** The files of a zip, in a folder with its name. */
export async function openZip(path: string, zip: Blob, signal?: AbortSignal): Promise<OpenedZips> {
  try {
    const entries = await entriesOf(path, zip, signal);
    const files = inFolder(path.replace(/\.zip$/i, ""), entries);
    const foreign = entries.filter(({ filename, filenameUTF8 }) => !filenameUTF8 || isForeign(filename));
    return { files, findings: foreign.length > 0 ? [aboutNames(path, foreign)] : [] };
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof Refusal)) throw error;
    const { message, remedy } = error;
    return { files: [], findings: [{ severity: "fault", kind: "zip", message, remedy }] };
  }
}

/** All that a zip holds, if it may be unpacked. */
async function entriesOf(path: string, zip: Blob, signal?: AbortSignal): Promise<Entry[]> {
  const entries: Entry[] = [];
  let bytes = 0;
  try {
    // names are judged here, where there are words for it
    const reader = new ZipReader(new BlobReader(zip));
    for await (const entry of reader.getEntriesGenerator({ filenameValidation: "tolerant" })) {
      signal?.throwIfAborted();
      entries.push(entry);
      bytes += entry.uncompressedSize;
      refuseTooMuch(path, entries.length, bytes);
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw error instanceof Refusal ? error : unopened(path, zip, messageOf(error), entries.length);
  }
  for (const entry of entries) refusePath(path, entry.filename);
  const files = entries.filter(({ directory }) => !directory);
  refuseSome(files, ({ encrypted }) => encrypted, (some, first) => new Refusal(
    `the zip ${path} is encrypted: ${some} of ${files.length} files, such as ${first}`,
    "unpack it with its password, and give the folder",
  ));
  const isOther = ({ compressionMethod }: Entry) => !METHODS.includes(compressionMethod);
  const others = [...new Set(files.filter(isOther).map(({ compressionMethod }) => compressionMethod))];
  refuseSome(files, isOther, (_, first) => new Refusal(
    `the zip ${path} is packed by a method that is not read (${others.join(", ")}), such as ${first}`,
    "pack it as deflated and stored files, or unpack it and give the folder",
  ));
  return entries;
}

function refuseTooMuch(path: string, count: number, bytes: number): void {
  if (count > MOST_FILES) {
    throw new Refusal(`the zip ${path} holds more than ${MOST_FILES.toLocaleString("en")} files`, "pack a few thousand pictures");
  }
  if (bytes > MOST_BYTES) {
    const most = (MOST_BYTES / 1e6).toLocaleString("en");
    throw new Refusal(`the zip ${path} unpacks to ${most} MB or more, at most ${most} MB here`, "pack fewer or smaller pictures");
  }
}

/** A path that a folder cannot have. */
function refusePath(zip: string, path: string): void {
  const fault = path.includes("\\")
    ? "has backslashes between folders"
    : /^(\/|[a-z]:)/i.test(path)
      ? "is absolute"
      : path.split("/").includes("..")
        ? "leads out of its folder"
        : null;
  if (fault) throw new Refusal(`the zip ${zip} holds the path ${path}, which ${fault}`, AGAIN);
}

function refuseSome(
  files: readonly Entry[],
  test: (entry: Entry) => boolean,
  refusal: (some: number, first: string) => Refusal,
): void {
  const some = files.filter(test);
  if (some[0]) throw refusal(some.length, some[0].filename);
}

/** Why a zip has no list of files. */
function unopened(path: string, zip: Blob, message: string, found: number): Refusal {
  const what = `the zip ${path} (${zip.size.toLocaleString("en")} bytes)`;
  if (message === ERR_SPLIT_ZIP_FILE) {
    return new Refusal(`${what} is one of several parts`, "join them into one zip, or unpack them and give the folder");
  }
  if (message === ERR_ENCRYPTED_CENTRAL_DIRECTORY) {
    return new Refusal(`${what} is encrypted, names and all`, "unpack it with its password, and give the folder");
  }
  const again = "copy or download it again, or unpack it and give the folder";
  if (found > 0) return new Refusal(`${what} cannot be read: its list of files is damaged after ${found}`, again);
  return new Refusal(`${what} is cut off, or is none: it has no list of files at its end`, again);
}

/**
 * The files as of a folder of this name. Where all of them are in one folder, that is the folder, unless it has pictures
 * itself: then it is a class.
 */
function inFolder(name: string, entries: readonly Entry[]): PictureFile[] {
  const files = entries.map((entry) => {
    const names = entry.filename.split("/").filter((part) => part !== "" && part !== ".");
    return { names, entry };
  });
  const seen = files.filter(({ names }) => names.length > 0 && !names.some(isHidden));
  const tops = new Set(seen.map(({ names }) => names[0]));
  const [top] = tops;
  const isTop = ({ names: [first, ...rest], entry }: (typeof files)[number]) =>
    first === top && (rest.length > 0 || entry.directory);
  const isPicture = ({ names }: (typeof files)[number]) => names.length === 2 && hasPictureEnding(names[1] ?? "");
  const goes = tops.size === 1 && seen.every(isTop) && !seen.some(isPicture);
  return files.flatMap(({ names, entry }) => {
    const inner = goes && names[0] === top ? names.slice(1) : names;
    if (inner.length === 0) return [];
    const path = [name, ...inner].join("/");
    return entry.directory ? { path: `${path}/`, file: new Blob() } : { path, file: new ZippedEntry(entry) };
  });
}

/** A file, unpacked by the browser. */
class ZippedEntry implements Zipped {
  constructor(private readonly entry: FileEntry) {}

  get size(): number {
    return this.entry.uncompressedSize;
  }

  async unpack(most = Infinity): Promise<Blob> {
    if (this.size > MOST_FILE_BYTES) throw new Error(`${this.size} bytes, more than ${MOST_FILE_BYTES}`);
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    let bytes = 0;
    const enough = new Error("enough");
    const sink = new WritableStream<Uint8Array<ArrayBuffer>>({
      write: (chunk) => {
        bytes += chunk.length;
        if (bytes > this.size) throw new Error(ERR_INVALID_UNCOMPRESSED_SIZE);
        chunks.push(chunk.slice());
        if (bytes >= most) throw enough;
      },
    });
    try {
      await this.entry.getData(sink, { checkCrc32: true, checkOverlappingEntry: true });
    } catch (error) {
      if (error !== enough) throw new Error(this.#wordsOf(messageOf(error)));
    }
    return new Blob(chunks);
  }

  #wordsOf(message: string): string {
    if (message === ERR_INVALID_CRC32) return "its checksum is wrong: the zip is damaged";
    if (message === ERR_INVALID_UNCOMPRESSED_SIZE) return `it does not unpack to the ${this.size} bytes that the zip states`;
    return `it cannot be unpacked (${message}): the zip is damaged`;
  }
}

/** Whether a name has bytes that are no UTF-8, though the zip says so. */
const isForeign = (name: string): boolean => name.includes("\ufffd");

function aboutNames(zip: string, [first, ...more]: Entry[]): Finding {
  const count = more.length + 1;
  const names = count === 1 ? "1 name that is not UTF-8 and is" : `${count} names that are not UTF-8 and are`;
  const as = first && isForeign(first.filename) ? "without what cannot be read" : "as code page 437";
  return {
    severity: "warning",
    kind: "zip",
    message: `the zip ${zip} has ${names} read ${as}: ${count === 1 ? "" : "e.g. "}${first?.filename}`,
    remedy: "pack the folder again with a program that writes UTF-8, if the class names are wrong",
  };
}
