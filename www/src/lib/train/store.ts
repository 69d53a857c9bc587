/**
 * A run stored in this browser's origin private file system: a file appears completely or not at all, since
 * the written data becomes the file when it is closed.
 */

import { BigGanError, messageOf } from "../base/errors.js";
import type { TrainingData, TrainRecipe } from "./api.js";
import { decodeRecipe, encodeRecipe } from "./recipe.js";

const FOLDER = "biggan-training-1";
/** The checkpoint, preceded by a line of JSON that describes it. */
const CHECKPOINT = "checkpoint";
/** The images, preceded by such a line too: they are written once, under their SHA-256. */
const DATA = "data-";
/** Lock of the tab that stores its run; another tab must not overwrite it. */
const LOCK = "biggan-training-1";
/** A page that was just left or reloaded releases it within this time. */
const LOCK_MS = 2000;

export interface KeptTraining {
  checkpoint: Blob;
  data: TrainingData;
  recipe: TrainRecipe;
  /** The page's note. */
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
          `denied; ${OWN_COPY}`,
        { cause },
      );
    }
    if (!(await locked())) {
      throw new BigGanError(
        "storage",
        `another tab of this page stores its run in this browser; close it, or ${OWN_COPY}`,
      );
    }
    return new TrainingStore(folder);
  }

  /** Stores a run in place of the previous one; if that fails, the previous one stays. */
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

  /** The run stored last, or null; also null if it is broken or inconsistent. */
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
      // a copy in memory: the file is overwritten while the trainer still reads it
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

  /** Deletes the run. */
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
    // in Chromium this error is no longer a DOMException
    const full = cause instanceof Error && cause.name === "QuotaExceededError";
    if (!full) {
      const message = `the checkpoint could not be kept (${messageOf(cause)}); ${OWN_COPY}`;
      return new BigGanError("storage", message, { cause });
    }
    const { quota = 0, usage = 0 } = await navigator.storage
      .estimate()
      .catch((): StorageEstimate => ({}));
    const available = Math.max(0, quota - usage);
    // browsers that hide the disk's free space estimate more than there is
    const known = available < needed;
    const left = known ? `, and ${megabytes(available)} are left` : "";
    return new BigGanError(
      "storage",
      `this browser's storage for the page is full: the checkpoint and its images take ${megabytes(needed)}${left}; ` +
        `the checkpoint before stays; free some space, or ${OWN_COPY}`,
      { cause, numbers: known ? { needed, available } : { needed } },
    );
  }
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

/** The remedy. */
const OWN_COPY = "save the checkpoint yourself; training continues";

/** The store of this page's run; a `storage` error if the browser stores nothing. */
export const openStore = (): Promise<TrainingStore> => TrainingStore.open();

let lock: Promise<boolean> | undefined;

/** Whether this tab has the lock, which it holds until it is closed. Without locks, only one tab is assumed. */
function locked(): Promise<boolean> {
  lock ??= new Promise((resolve) => {
    if (!navigator.locks) return resolve(true);
    const held = () => {
      resolve(true);
      return new Promise<void>(() => {});
    };
    navigator.locks.request(LOCK, { signal: AbortSignal.timeout(LOCK_MS) }, held).catch(() => {
      resolve(false);
      // requested again next time, when the other tab may be closed
      lock = undefined;
    });
  });
  return lock;
}
