/** Files that were dropped or picked, with their paths: folders are walked through. */

export interface PathFile {
  path: string;
  file: File;
}

/** Files beyond this are not listed: the browser would be busy with names alone. */
export const MAX_FILES = 50_000;

/** Of a picker of folders. */
export const pickedFiles = (files: Iterable<File>): PathFile[] =>
  Array.from(files, (file) => ({ path: file.webkitRelativePath || file.name, file }));

/**
 * Of a drop. The entries must be taken while the event is handled, so call it there.
 *
 * @throws if there are more than MAX_FILES
 */
export async function droppedFiles(transfer: DataTransfer): Promise<PathFile[]> {
  const items = Array.from(transfer.items).filter(({ kind }) => kind === "file");
  const entries = items.map((item) => item.webkitGetAsEntry());
  // what has no entry is no folder
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
    // a reader gives the names in portions, and an empty one at the end
    for (;;) {
      const portion = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
      if (portion.length === 0) break;
      for (const one of portion) await walk(one, found);
    }
  }
}
