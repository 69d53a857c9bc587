/** Pictures ready to be shown, and a cache of recent ones. */

import { encodeFast } from "./png/encode.js";
import { STATE_KEYWORD } from "./png/text.js";
import type { Shot } from "./scene.js";

export interface Drawn {
  image: ImageData;
  /** URL of a PNG file with the state, for saving or dragging a single picture. */
  address: string;
}

/** Bytes that the cache keeps, of pixels and files. */
const MOST_BYTES = 64e6;
/** Pictures that it keeps: besides their bytes, a small picture takes about 150 kB of a browser. */
const MOST_PICTURES = 256;

interface Entry extends Drawn {
  bytes: number;
}

/** Pictures by request: going back, lineages and end B cost nothing. */
export class DrawnCache {
  readonly #drawn = new Map<string, Entry>();
  #bytes = 0;
  /** Pictures in sight, which stay whatever they take: what is shown may be dragged away and saved. */
  #shown = 0;

  set shown(count: number) {
    this.#shown = count;
  }

  get(shot: Shot): Drawn | undefined {
    const key = keyOf(shot);
    const found = this.#drawn.get(key);
    if (found) {
      // a map keeps insertion order: its first entry is the least recently used
      this.#drawn.delete(key);
      this.#drawn.set(key, found);
    }
    return found;
  }

  add(shot: Shot, image: ImageData): void {
    const file = encodeFast(image, { [STATE_KEYWORD]: shot.link });
    const address = URL.createObjectURL(new Blob([file], { type: "image/png" }));
    const bytes = image.data.length + file.length;
    this.#drawn.set(keyOf(shot), { image, address, bytes });
    this.#bytes += bytes;
    for (const [key, entry] of this.#drawn) {
      const { size } = this.#drawn;
      if (size <= this.#shown || (size <= MOST_PICTURES && this.#bytes <= MOST_BYTES)) break;
      this.#forget(key, entry);
    }
  }

  /** For a change of model or of backend. */
  clear(): void {
    for (const [key, entry] of this.#drawn) this.#forget(key, entry);
  }

  #forget(key: string, { address, bytes }: Entry): void {
    URL.revokeObjectURL(address);
    this.#drawn.delete(key);
    this.#bytes -= bytes;
  }
}

/** The cache key of a picture. */
export const keyOf = ({ picture, truncation }: Pick<Shot, "picture" | "truncation">): string =>
  JSON.stringify([picture, truncation], (_, value: unknown) =>
    typeof value === "bigint" ? String(value) : value,
  );
