/**
 * Class folders and the pictures in them: the layouts of `native-train` (docs/data.md, "Layouts"), from files with
 * paths.
 */

import { type Folder, folderOf, passOver, type PictureFile } from "./folder.js";
import { findParts, isPart, LayoutError } from "./parts.js";
import type { Passed } from "./passed.js";
import type { KindOf } from "./picture-kinds.js";

export { LayoutError };

export interface Class {
  name: string;
  /** In the order of the bytes of their names. */
  pictures: PictureFile[];
}

export interface Listing {
  /** Of the data: that of the folder. */
  name: string;
  /** The folder's path, from which examples are named. */
  from: string;
  classes: Class[];
  passed: Passed;
  remarks: string[];
}

/** The name of pictures without any folder, as data and as their class. */
const WITHOUT_FOLDER = "pictures";

/** Lists the classes of the training part. Throws with the reason if the layout is none that is read. */
export async function listClasses(
  files: readonly PictureFile[],
  kindOf: KindOf,
  signal?: AbortSignal,
): Promise<Listing> {
  const directory = directoryOf(await folderOf(files, kindOf, signal));
  const { train, passed, remarks } = findParts(directory);
  const name = directory.name || WITHOUT_FOLDER;
  if (train === directory) passed.absorb(directory.passed);
  else passed.absorb(train.passed);
  const listing = { name, from: directory.path, passed, remarks };
  const [loose] = train.pictures;
  // a person who picks pictures without a folder cannot name a class
  if (loose && train.path === "" && train.folders.length === 0) {
    return { ...listing, classes: [{ name, pictures: train.pictures }] };
  }
  if (loose) {
    throw new LayoutError(
      `${loose.path} and ${train.pictures.length - 1} more are not in a class folder; put every picture into the ` +
        "folder of its class",
    );
  }
  return { ...listing, classes: train.folders.map((folder) => classOf(folder, passed)) };
}

/**
 * The folder that a person gave: the only one that was picked or dropped, unless it is a class folder itself, with
 * pictures and no folder of pictures.
 */
function directoryOf(around: Folder): Folder {
  const [only, ...more] = around.folders;
  if (!only || more.length > 0 || around.pictures.length > 0) return around;
  const isClass = only.pictures.length > 0 && !only.folders.some(({ pictures }) => pictures.length > 0);
  if (isClass) return around;
  only.passed.absorb(around.passed);
  return only;
}

function classOf(folder: Folder, passed: Passed): Class {
  let here = folder;
  const [only, ...more] = folder.folders;
  if (only && more.length === 0 && folder.pictures.length === 0 && only.name === "images") {
    // as Tiny-ImageNet is packed
    passed.absorb(folder.passed);
    here = only;
  }
  if (here.pictures.length === 0) throw withoutPictures(folder, here);
  passed.absorb(here.passed);
  passOver(here.folders, passed);
  return { name: folder.name, pictures: here.pictures };
}

/** Why a class folder has no pictures. */
function withoutPictures(folder: Folder, here: Folder): LayoutError {
  const path = ({ path }: Folder) => path.replace(/\/$/, "");
  const deeper = here.folders.find(({ pictures }) => pictures.length > 0);
  if (!deeper) {
    const passed = here.passed.line(here.path);
    return new LayoutError(
      `class folder ${path(folder)} has no picture (.png, .jpg, .jpeg, .webp)${passed && `; ${passed}`}; fill or remove it`,
    );
  }
  if (isPart(deeper)) {
    return new LayoutError(
      `class folder ${path(folder)} has no pictures, but its part ${path(deeper)} has: put the classes into the parts, ` +
        "DIR/train/<class> and DIR/test/<class>",
    );
  }
  return new LayoutError(
    `class folder ${path(folder)} has no pictures, but ${path(deeper)} has: they are one folder too deep; give the ` +
      "folder of the class folders",
  );
}
