/**
 * A run stored in this browser, in the Cache API for the reasons of ../sample/store.ts: every browser has it, and an
 * entry appears completely or not at all. Safari before 26 cannot write to OPFS from a page.
 */

import { BigGanError, messageOf } from "../base/errors.js";
import type { TrainingData, TrainRecipe } from "./api.js";
import { decodeRecipe, encodeRecipe } from "./recipe.js";

const CACHE = "biggan-training-1";
/** The checkpoint, preceded by a line of JSON that describes it. */
const CHECKPOINT = "checkpoint";
/** The images, preceded by such a line too: they are written once, under their SHA-256. */
const DATA = "data-";
/** Lock of the tab that stores its run; another tab must not overwrite it. */
const LOCK = "biggan-training-1";
/** A page that was just left or reloaded releases it within this time. */
const LOCK_MS = 2000;
const LINE_FEED = 10;
const PIECE_BYTES = 1 << 18;

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
  private constructor() {}

  /** Opens the store; see {@link openStore}. */
  static async open(): Promise<TrainingStore> {
    if (typeof caches === "undefined") {
      throw new BigGanError(
        "storage",
        `browsers keep files for pages from https or localhost only; this one is from ${location.origin}: ${OWN_COPY}`,
      );
    }
    try {
      await opened();
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
    return new TrainingStore();
  }

  /** Stores a run in place of the previous one; if that fails, the previous one stays. */
  async keep(kept: Omit<KeptTraining, "savedAt">): Promise<void> {
    const { checkpoint, data, recipe, note } = kept;
    try {
      const cache = await opened();
      const same = (await cache.match(entry(DATA + data.sha256))) !== undefined;
      if (!same) {
        const { name, resolution, classNames, sha256 } = data;
        const about: DataNote = { name, resolution, classNames, sha256 };
        await write(cache, DATA + sha256, about, [
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
      await write(cache, CHECKPOINT, about, [checkpoint]);
      if (!same) await forget(cache, (name) => name !== CHECKPOINT && name !== DATA + data.sha256);
    } catch (cause) {
      throw await this.#writeError(cause, checkpoint.size + data.pixels.byteLength);
    }
  }

  /** The run stored last, or null; also null if it is broken or inconsistent. */
  async last(): Promise<KeptTraining | null> {
    const cache = await opened();
    const checkpoint = await read<CheckpointNote>(cache, CHECKPOINT);
    const images = checkpoint && (await read<DataNote>(cache, DATA + checkpoint.about.data));
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
    await forget(await opened(), () => true);
  }

  async #writeError(cause: unknown, needed: number): Promise<BigGanError> {
    // in Chromium this error is no longer a DOMException
    const full = cause instanceof Error && cause.name === "QuotaExceededError";
    if (!full) {
      const message = `the checkpoint could not be kept (${messageOf(cause)}); ${OWN_COPY}`;
      return new BigGanError("storage", message, { cause });
    }
    // WebKitGTK has no `navigator.storage`
    const estimate = await Promise.resolve(navigator.storage?.estimate()).catch(() => undefined);
    const { quota = 0, usage = 0 } = estimate ?? {};
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

/** Opened for each use: what a visitor deletes meanwhile would else be written to, and be lost. */
const opened = (): Promise<Cache> => caches.open(CACHE);

async function forget(cache: Cache, goes: (name: string) => boolean): Promise<void> {
  for (const { url } of await cache.keys()) if (goes(url.slice(entry("").length))) await cache.delete(url);
}

async function write(cache: Cache, name: string, about: object, parts: BlobPart[]): Promise<void> {
  await cache.put(entry(name), new Response(new Blob([`${JSON.stringify(about)}\n`, ...parts])));
}

async function read<T>(cache: Cache, name: string): Promise<{ about: T; rest: Blob } | null> {
  try {
    const file = await (await cache.match(entry(name)))!.blob();
    const end = await lineEnd(file);
    return { about: JSON.parse(await file.slice(0, end).text()), rest: file.slice(end + 1) };
  } catch {
    return null;
  }
}

/** The address of an entry. */
const entry = (name: string): string => new URL(`/biggan-training/${name}`, location.origin).href;

/** Bytes before the end of the first line; it is read piece by piece, since checkpoints are large and notes need not be small. */
async function lineEnd(file: Blob): Promise<number> {
  for (let start = 0; start < file.size; start += PIECE_BYTES) {
    const piece = new Uint8Array(await file.slice(start, start + PIECE_BYTES).arrayBuffer());
    const at = piece.indexOf(LINE_FEED);
    if (at >= 0) return start + at;
  }
  throw new Error("the entry has no description");
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
