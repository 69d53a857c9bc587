/** Dropped or picked files with their paths; folders are walked recursively. */

export interface PathFile {
  path: string;
  file: File;
}

/** Most files that are listed: with more, the browser would be busy just listing names. */
const MAX_FILES = 50_000;

/** The files of a folder picker. */
export const pickedFiles = (files: Iterable<File>): PathFile[] =>
  Array.from(files, (file) => ({ path: file.webkitRelativePath || file.name, file }));

/**
 * The files of a drop. The entries must be taken while the event is handled, so call it there.
 *
 * @throws if there are more than MAX_FILES
 */
export async function droppedFiles(transfer: DataTransfer): Promise<PathFile[]> {
  const items = Array.from(transfer.items).filter(({ kind }) => kind === "file");
  const entries = items.map((item) => item.webkitGetAsEntry());
  // an item without an entry is not a folder
  const alone = items.map((item, index) => (entries[index] ? null : item.getAsFile()));
  const found = pickedFiles(alone.filter((file) => file !== null));
  for (const entry of entries) if (entry) await walk(entry, found);
  return found;
}

async function walk(entry: FileSystemEntry, found: PathFile[]): Promise<void> {
  if (entry instanceof FileSystemFileEntry) {
    const file = await new Promise<File>((resolve, reject) => entry.file(resolve, reject));
    found.push({ path: entry.fullPath.replace(/^\//, ""), file });
    if (found.length > MAX_FILES) {
      throw new Error(
        `there are more than ${MAX_FILES.toLocaleString("en")} files; drop a folder with a few thousand images`,
      );
    }
  } else if (entry instanceof FileSystemDirectoryEntry) {
    const reader = entry.createReader();
    // a reader returns the names in batches, and an empty batch at the end
    for (;;) {
      const portion = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
      if (portion.length === 0) break;
      for (const one of portion) await walk(one, found);
    }
  }
}
