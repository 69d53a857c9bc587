/**
 * Class folders and the pictures in them: the layouts of `native-train` (docs/data.md, "Layouts"), from files with
 * paths.
 */

import { type Folder, folderOf, passOver, type PictureFile } from "./folder.js";
import { readLabels } from "./label-list.js";
import { findParts, isPart, LayoutError } from "./parts.js";
import { Passed } from "./passed.js";
import type { KindOf } from "./picture-kinds.js";

export { LayoutError };

/** A class folder. */
interface Class {
  name: string;
  /** In the order of the bytes of their names. */
  pictures: PictureFile[];
}

export interface Listing {
  /** Of the data: that of the folder. */
  name: string;
  /** The folder's path, from which examples are named. */
  from: string;
  classNames: string[];
  pictures: (PictureFile & { label: number })[];
  passed: Passed;
  remarks: string[];
}

/** The name of pictures without any folder, as data and as their class. */
const WITHOUT_FOLDER = "pictures";

/**
 * Lists the classes of the training part, or the pictures of a list of labels. Throws a `LayoutError` if the layout is none
 * that is read.
 */
export async function listClasses(
  files: readonly PictureFile[],
  kindOf: KindOf,
  { labels, signal }: { labels?: File | undefined; signal?: AbortSignal | undefined } = {},
): Promise<Listing> {
  const around = await folderOf(files, kindOf, signal);
  if (labels) return listLabelled(around, labels);
  const directory = directoryOf(around);
  const { train, passed, remarks } = findParts(directory);
  const name = directory.name || WITHOUT_FOLDER;
  if (train === directory) passed.absorb(directory.passed);
  else passed.absorb(train.passed);
  const listing = { name, from: directory.path, passed, remarks };
  const [loose] = train.pictures;
  // a person who picks pictures without a folder cannot name a class
  if (loose && train.path === "" && train.folders.length === 0) {
    return { ...listing, ...together([{ name, pictures: train.pictures }]) };
  }
  if (loose) {
    throw new LayoutError(
      `${loose.path} and ${train.pictures.length - 1} more are not in a class folder; put every picture into the ` +
        "folder of its class",
    );
  }
  return { ...listing, ...together(train.folders.map((folder) => classOf(folder, passed))) };
}

const together = (classes: Class[]): Pick<Listing, "classNames" | "pictures"> => ({
  classNames: classes.map(({ name }) => name),
  pictures: classes.flatMap(({ pictures }, label) => pictures.map((picture) => ({ ...picture, label }))),
});

/** The folder that was given is the one from which the list names its pictures. */
async function listLabelled(around: Folder, labels: File): Promise<Listing> {
  const [only, ...more] = around.folders;
  const directory = only && more.length === 0 && around.pictures.length === 0 ? only : around;
  const passed = new Passed();
  const count = (folder: Folder): void => {
    passed.absorb(folder.passed);
    folder.folders.forEach(count);
  };
  count(around);
  const listed = await readLabels(labels, directory, passed);
  return { name: directory.name || WITHOUT_FOLDER, from: directory.path, passed, ...listed };
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
