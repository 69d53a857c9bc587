/**
 * A training kept in this browser, in its origin private file system: a file appears whole or not at all, since
 * what is written becomes the file when it is closed.
 */

import { BigGanError, messageOf } from "./errors.js";
import type { TrainingData, TrainRecipe } from "./train-api.js";
import { decodeRecipe, encodeRecipe } from "./train-recipe.js";

const FOLDER = "biggan-training-1";
/** The checkpoint, behind a line of JSON that says what it is. */
const CHECKPOINT = "checkpoint";
/** The images, behind such a line too: they are written once, under their SHA-256. */
const DATA = "data-";
/** The tab that keeps its training; another one must not write over it. */
const LOCK = "biggan-training-1";

export interface KeptTraining {
  checkpoint: Blob;
  data: TrainingData;
  recipe: TrainRecipe;
  /** What the page noted. */
  note: unknown;
  /** As `Date.now()`. */
  savedAt: number;
}

interface CheckpointNote {
  recipe: string;
  note: unknown;
  savedAt: number;
  /** SHA-256 of the images. */
  data: string;
}

type DataNote = Pick<TrainingData, "name" | "resolution" | "classNames" | "sha256">;

export class TrainingStore {
  /** SHA-256 of the images that were written. */
  #written: string | undefined;

  private constructor(private readonly folder: FileSystemDirectoryHandle) {}

  /** Opens the store; see {@link openStore}. */
  static async open(): Promise<TrainingStore> {
    let folder: FileSystemDirectoryHandle;
    try {
      const root = await navigator.storage.getDirectory();
      folder = await root.getDirectoryHandle(FOLDER, { create: true });
    } catch (cause) {
      throw new BigGanError(
        "storage",
        `this browser keeps no files for this page (${messageOf(cause)}): a private window, or storage is ` +
          "denied; the training goes on, save its checkpoint yourself",
        { cause },
      );
    }
    if (!(await locked())) {
      throw new BigGanError(
        "storage",
        "another tab of this page keeps its training in this browser; close it, or save the checkpoint yourself",
      );
    }
    return new TrainingStore(folder);
  }

  /** Keeps a training in place of the one before; where it fails, that one stays. */
  async keep(kept: Omit<KeptTraining, "savedAt">): Promise<void> {
    const { checkpoint, data, recipe, note } = kept;
    try {
      const same = data.sha256 !== "" && this.#written === data.sha256;
      if (!same) {
        const { name, resolution, classNames, sha256 } = data;
        const about: DataNote = { name, resolution, classNames, sha256 };
        await this.#write(DATA + sha256, about, [
          data.labels as Uint16Array<ArrayBuffer>,
          data.pixels as Uint8Array<ArrayBuffer>,
        ]);
      }
      const about: CheckpointNote = {
        recipe: encodeRecipe(recipe),
        note,
        savedAt: Date.now(),
        data: data.sha256,
      };
      await this.#write(CHECKPOINT, about, [checkpoint]);
      if (!same) await this.#forget((name) => name !== CHECKPOINT && name !== DATA + data.sha256);
      this.#written = data.sha256;
    } catch (cause) {
      throw await this.#writeError(cause, checkpoint.size + data.pixels.byteLength);
    }
  }

  /** The training that was kept last, or null. What is broken or does not belong together is none. */
  async last(): Promise<KeptTraining | null> {
    const checkpoint = await this.#read<CheckpointNote>(CHECKPOINT);
    const images = checkpoint && (await this.#read<DataNote>(DATA + checkpoint.about.data));
    if (!checkpoint || !images) return null;
    const { name, resolution, classNames, sha256 } = images.about;
    const bytes = await images.rest.arrayBuffer();
    const image = resolution ** 2 * 3;
    const count = bytes.byteLength / (image + 2);
    if (!Number.isInteger(count)) return null;
    const { recipe, note, savedAt } = checkpoint.about;
    return {
      // a copy in memory: the file is written over while the trainer still reads it
      checkpoint: new Blob([await checkpoint.rest.arrayBuffer()]),
      data: {
        name,
        resolution,
        classNames,
        sha256,
        labels: new Uint16Array(bytes, 0, count),
        pixels: new Uint8Array(bytes, 2 * count),
      },
      recipe: decodeRecipe(recipe),
      note,
      savedAt,
    };
  }

  /** Forgets the training. */
  async clear(): Promise<void> {
    this.#written = undefined;
    await this.#forget(() => true);
  }

  async #forget(goes: (name: string) => boolean): Promise<void> {
    const names: string[] = [];
    for await (const name of this.folder.keys()) if (goes(name)) names.push(name);
    for (const name of names) await this.folder.removeEntry(name).catch(() => {});
  }

  async #write(name: string, about: object, parts: BlobPart[]): Promise<void> {
    const handle = await this.folder.getFileHandle(name, { create: true });
    const file = await handle.createWritable();
    try {
      await file.write(new Blob([`${JSON.stringify(about)}\n`, ...parts]));
    } catch (error) {
      await file.abort().catch(() => {});
      throw error;
    }
    await file.close();
  }

  async #read<T>(name: string): Promise<{ about: T; rest: Blob } | null> {
    try {
      const file = await (await this.folder.getFileHandle(name)).getFile();
      const head = await file.slice(0, 1 << 20).text();
      const line = head.slice(0, head.indexOf("\n"));
      const start = new TextEncoder().encode(line).length + 1;
      return { about: JSON.parse(line), rest: file.slice(start) };
    } catch {
      return null;
    }
  }

  async #writeError(cause: unknown, needed: number): Promise<BigGanError> {
    const { quota = 0, usage = 0 } = await navigator.storage.estimate().catch(() => ({}) as StorageEstimate);
    const available = Math.max(0, quota - usage);
    const full = cause instanceof DOMException && cause.name === "QuotaExceededError";
    const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
    const message = full
      ? `this browser's storage for the page is full: ${megabytes(needed)} are needed and ${megabytes(available)} ` +
        "are left; the training goes on and the checkpoint before stays: free some space, or save the " +
        "checkpoint yourself"
      : `the checkpoint could not be kept (${messageOf(cause)}); the training goes on: save the checkpoint yourself`;
    return new BigGanError("storage", message, {
      cause,
      ...(full ? { numbers: { needed, available } } : {}),
    });
  }
}

/** The training that this browser keeps for the page; a `storage` error where it keeps none. */
export const openStore = (): Promise<TrainingStore> => TrainingStore.open();

/** Whether this tab has the lock, which it holds until it is closed. Browsers without locks have one tab. */
let lock: Promise<boolean> | undefined;

function locked(): Promise<boolean> {
  lock ??= new Promise((resolve) => {
    if (!navigator.locks) resolve(true);
    else {
      navigator.locks
        .request(LOCK, { ifAvailable: true }, (granted) => {
          resolve(granted !== null);
          // asked again next time, where another tab has it now
          if (granted === null) lock = undefined;
          return granted === null ? undefined : new Promise(() => {});
        })
        .catch(() => resolve(true));
    }
  });
  return lock;
}
