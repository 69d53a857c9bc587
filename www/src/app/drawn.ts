/** Pictures ready to be shown, and a cache of recent ones. */

import { encodeFast } from "./png/encode.js";
import { STATE_KEYWORD } from "./png/text.js";
import type { Shot } from "./scene.js";

export interface Drawn {
  image: ImageData;
  /** URL of a PNG file with the state, for saving or dragging a single picture. */
  address: string;
}

/** Capacity of the cache: more than any view shows. */
const KEPT_BYTES = 64e6;
const LEAST_KEPT = 256;

/** Pictures by request: going back, lineages and end B cost nothing. */
export class DrawnCache {
  readonly #drawn = new Map<string, Drawn>();

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
    this.#drawn.set(keyOf(shot), { image, address });
    const most = Math.max(LEAST_KEPT, KEPT_BYTES / image.data.length);
    for (const [key, drawn] of this.#drawn) {
      if (this.#drawn.size <= most) break;
      this.#forget(key, drawn);
    }
  }

  /** For a change of model or of backend. */
  clear(): void {
    for (const [key, drawn] of this.#drawn) this.#forget(key, drawn);
  }

  #forget(key: string, { address }: Drawn): void {
    URL.revokeObjectURL(address);
    this.#drawn.delete(key);
  }
}

/** The cache key of a picture. */
export const keyOf = ({ picture, truncation }: Shot): string =>
  JSON.stringify([picture, truncation], (_, value: unknown) =>
    typeof value === "bigint" ? String(value) : value,
  );
