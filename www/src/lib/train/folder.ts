/** Files with paths as folders: what is directly in each, and what is passed over. */

import { byBytes } from "./order.js";
import { Passed } from "./passed.js";
import { hasPictureEnding, isHidden, isZip, type KindOf } from "./picture-kinds.js";
import type { Zipped } from "./zipped.js";

/** A file with its path from where it was picked or dropped. A path that ends in `/` is a folder, and has no content. */
export interface GivenFile {
  path: string;
  file: Blob;
}

/** The same, of which a zip may have the content. */
export interface PictureFile {
  path: string;
  file: Blob | Zipped;
}

export interface Folder {
  name: string;
  /** Ends in `/`, but for that around everything, which is empty. */
  path: string;
  /** Sorted, as pictures are, by the bytes of their names. */
  folders: Folder[];
  pictures: PictureFile[];
  /** The rest of what is directly in it. */
  passed: Passed;
}

const emptyFolder = (name: string, path: string): Folder => ({
  name,
  path,
  folders: [],
  pictures: [],
  passed: new Passed(),
});

/** The folder around all files; `kindOf` looks at those whose names say nothing. */
export async function folderOf(
  files: readonly PictureFile[],
  kindOf: KindOf,
  signal?: AbortSignal,
): Promise<Folder> {
  const all = new Map<string, Folder>();
  const hidden = new Set<string>();
  const root = emptyFolder("", "");

  /** The folder of some names, or null within a hidden one, which is counted once. */
  const folderAt = (names: string[]): Folder | null => {
    let at = root;
    for (const name of names) {
      const path = `${at.path}${name}/`;
      if (isHidden(name)) {
        if (!hidden.has(path)) at.passed.add("hidden", path);
        hidden.add(path);
        return null;
      }
      let next = all.get(path);
      if (!next) {
        next = emptyFolder(name, path);
        all.set(path, next);
        at.folders.push(next);
      }
      at = next;
    }
    return at;
  };

  for (const { path, file } of files) {
    signal?.throwIfAborted();
    const names = path.split("/").filter(Boolean);
    const name = path.endsWith("/") ? undefined : names.pop();
    const folder = folderAt(names);
    if (!folder || name === undefined) continue;
    const whole = folder.path + name;
    if (isHidden(name)) folder.passed.add("hidden", whole);
    else if (hasPictureEnding(name)) folder.pictures.push({ path: whole, file });
    else if (file.size === 0) folder.passed.add("empty", whole);
    else if (isZip(name)) folder.passed.add("zip", whole);
    else {
      // a file that cannot be opened says nothing either
      const kind = await kindOf(file);
      if (kind === "picture") folder.pictures.push({ path: whole, file });
      else if (kind === null) folder.passed.add("other-file", whole);
      else folder.passed.add("other-kind", whole, kind);
    }
  }
  for (const folder of [root, ...all.values()]) {
    folder.folders.sort((a, b) => byBytes(a.name, b.name));
    folder.pictures.sort((a, b) => byBytes(a.path, b.path));
  }
  return root;
}

/** Counts what is in folders as passed over, with all folders below. */
export function passOver(folders: readonly Folder[], passed: Passed): void {
  for (const folder of folders) {
    passed.absorb(folder.passed);
    for (const { path } of folder.pictures) passed.add("deeper", path);
    passOver(folder.folders, passed);
    if (folder.folders.length === 0 && folder.pictures.length === 0) passed.add("folder", folder.path);
  }
}

/** The pictures in a folder and below. */
export const picturesOf = ({ pictures, folders }: Folder): PictureFile[] => [
  ...pictures,
  ...folders.flatMap(picturesOf),
];
