/** Pictures that are ready to be shown, and those of late. */

import { encodeFast } from "./png/encode.js";
import { STATE_KEYWORD } from "./png/text.js";
import type { Shot } from "./scene.js";

export interface Drawn {
  image: ImageData;
  /** Of a PNG file that carries the state, for those who save or drag a single picture. */
  address: string;
}

/** Decoded pictures that are kept; more than any view shows at resolutions that browsers sample. */
const KEPT_BYTES = 64e6;
const LEAST_KEPT = 256;

/** Pictures by what was asked for: going back, lineages and pinned pictures cost nothing. */
export class DrawnCache {
  readonly #drawn = new Map<string, Drawn>();

  get(shot: Shot): Drawn | undefined {
    const key = keyOf(shot);
    const found = this.#drawn.get(key);
    if (found) {
      // a map keeps the order of its insertions: the oldest is the one that is longest unused
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

/** What a picture is kept under. */
export const keyOf = ({ picture, truncation }: Shot): string =>
  JSON.stringify([picture, truncation], (_, value: unknown) =>
    typeof value === "bigint" ? String(value) : value,
  );
