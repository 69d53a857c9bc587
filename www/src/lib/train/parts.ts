/** The parts of a folder of pictures: which of its folders are the training part and the test part. */

import { type Folder, picturesOf } from "./folder.js";
import { Passed } from "./passed.js";

/** Names of the training part, and of test parts. */
const TRAIN = ["train", "training"];
const TEST = ["test", "testing", "eval", "evaluation", "valid", "validation", "val", "dev"];
/** Most folders around the parts, as archives unpack. */
const MOST_AROUND = 4;

/** A layout that is not read; the message says what it looks like. */
export class LayoutError extends Error {}

/** Where the class folders of the training part are. */
export interface Parts {
  train: Folder;
  /** What is next to it. */
  passed: Passed;
  /** What a user may not expect. */
  remarks: string[];
}

/** Finds the training part; a folder of class folders is its own. Throws if there is none, or one twice. */
export function findParts(folder: Folder): Parts {
  let root = folder;
  for (let around = 0; around <= MOST_AROUND; around++) {
    if (hasParts(root)) return partsOf(folder, root);
    const [only, ...more] = root.folders;
    if (!only || more.length > 0 || root.pictures.length > 0) break;
    root = only;
  }
  return { train: folder, passed: new Passed(), remarks: [] };
}

export const isPart = ({ name }: Folder): boolean => isNamed(name, TRAIN) || isNamed(name, TEST);

const counted = (pictures: number): string => `${pictures} ${pictures === 1 ? "picture" : "pictures"}`;

const isNamed = (name: string, names: string[]): boolean => names.includes(name.toLowerCase());

/** Whether all folders with pictures, in them or one folder below, have the names of parts. */
function hasParts({ folders }: Folder): boolean {
  const holds = ({ pictures }: Folder) => pictures.length > 0;
  return (
    folders.some(isPart) &&
    folders.every((folder) => isPart(folder) || !(holds(folder) || folder.folders.some(holds)))
  );
}

function partsOf(outer: Folder, root: Folder): Parts {
  const passed = new Passed();
  passed.absorb(root.passed);
  for (const { path } of root.pictures) passed.add("beside-parts", path);
  const inner = ({ path }: Folder) => path.slice(outer.path.length).replace(/\/$/, "");
  refuseTwice(root.folders);
  const train = root.folders.find(({ name }) => isNamed(name, TRAIN));
  const remarks: string[] = [];
  if (root !== outer) remarks.push(`the parts are in ${inner(root)}`);
  for (const folder of root.folders) {
    if (folder === train) continue;
    const pictures = picturesOf(folder).length;
    if (!isPart(folder) || pictures === 0) passed.add("folder", folder.path);
    else remarks.push(`${inner(folder)} and its ${counted(pictures)} are not trained on`);
  }
  if (!train) {
    const place = root.path.replace(/\/$/, "");
    throw new LayoutError(
      `${place ? `${place}: ` : ""}there is no training part; put its class folders into a folder "train" next to ` +
        `"${root.folders.find(isPart)?.name ?? "test"}"`,
    );
  }
  return { train, passed, remarks };
}

/** A name in two cases, or two spellings of the training part. */
function refuseTwice(folders: Folder[]): void {
  const seen = new Map<string, Folder>();
  for (const folder of folders.filter(isPart)) {
    const name = isNamed(folder.name, TRAIN) ? "train" : folder.name.toLowerCase();
    const before = seen.get(name);
    if (before) {
      throw new LayoutError(`${before.path} and ${folder.path} are the same part; merge them, or rename one`);
    }
    seen.set(name, folder);
  }
}
