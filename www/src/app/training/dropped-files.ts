/** Dropped or picked files with their paths; folders are walked recursively. */

import type { Unopened } from "./package.js";

export interface PathFile {
  /** A path that ends in `/` is a folder that is empty, or hidden and not walked. */
  path: string;
  file: File;
}

/** What was dropped, and what the browser would not open: one bad entry does not end a drop. */
export interface Dropped {
  files: PathFile[];
  unopened: Unopened[];
}

/** Most files that are listed: with more, the browser would be busy just listing names. */
const MAX_FILES = 50_000;
/** Deeper folders are links that lead back to themselves. */
const MAX_DEPTH = 64;

/** The files of a folder picker. */
export const pickedFiles = (files: Iterable<File>): PathFile[] =>
  Array.from(files, (file) => ({ path: file.webkitRelativePath || file.name, file }));

/**
 * The files of a drop. The entries must be taken while the event is handled, so call it there.
 *
 * @throws if there are more than MAX_FILES
 */
export async function droppedFiles(transfer: DataTransfer): Promise<Dropped> {
  const items = Array.from(transfer.items).filter(({ kind }) => kind === "file");
  const entries = items.map((item) => item.webkitGetAsEntry());
  // an item without an entry is not a folder
  const alone = items.map((item, index) => (entries[index] ? null : item.getAsFile()));
  const dropped: Dropped = { files: pickedFiles(alone.filter((file) => file !== null)), unopened: [] };
  for (const entry of entries) if (entry) await walk(entry, dropped, 0);
  return dropped;
}

async function walk(entry: FileSystemEntry, dropped: Dropped, depth: number): Promise<void> {
  const path = entry.fullPath.replace(/^\//, "");
  try {
    if (entry.isFile) {
      const one = entry as FileSystemFileEntry;
      dropped.files.push({ path, file: await new Promise<File>((resolve, reject) => one.file(resolve, reject)) });
    } else if (entry.isDirectory) {
      if (depth >= MAX_DEPTH) throw new Error(`${MAX_DEPTH} folders deep: a link that leads back to itself?`);
      const inside = entry.name.startsWith(".") ? [] : await entriesOf(entry as FileSystemDirectoryEntry);
      // to be seen as what it is, though it has no file
      if (inside.length === 0) dropped.files.push({ path: `${path}/`, file: new File([], entry.name) });
      for (const one of inside) await walk(one, dropped, depth + 1);
    }
  } catch (error) {
    if (error instanceof TooManyFiles) throw error;
    dropped.unopened.push({ path, reason: error instanceof Error ? error.message : String(error) });
  }
  if (dropped.files.length > MAX_FILES) throw new TooManyFiles();
}

/** A reader returns the names in batches, and an empty batch at the end. */
async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const portion = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (portion.length === 0) return all;
    all.push(...portion);
    if (all.length > MAX_FILES) throw new TooManyFiles();
  }
}

class TooManyFiles extends Error {
  constructor() {
    super(`there are more than ${MAX_FILES.toLocaleString("en")} files; drop a folder with a few thousand images`);
  }
}
