/** SHA-256 of bytes that come one after another, on any page: `crypto.subtle` wants all at once, and https. */

import { SHA256 } from "@stablelib/sha256";
import { release } from "./release.js";

/** Bytes read of a file at once: few milliseconds of work, so that the page stays responsive. */
const PIECE_BYTES = 2 ** 18;

export class Sha256 {
  readonly #hash = new SHA256();

  add(bytes: Uint8Array): this {
    this.#hash.update(bytes);
    return this;
  }

  /** Reads piece by piece, so that the file is never in memory as a whole. */
  async addFile(file: Blob): Promise<this> {
    for (let at = 0; at < file.size; at += PIECE_BYTES) {
      const piece = new Uint8Array(await file.slice(at, at + PIECE_BYTES).arrayBuffer());
      this.add(piece);
      release(piece);
    }
    return this;
  }

  /** In lower-case hex. Nothing can be added afterwards. */
  digest(): string {
    return Array.from(this.#hash.digest(), (byte) => byte.toString(16).padStart(2, "0")).join("");
  }
}

/** The SHA-256 of a file, in lower-case hex. */
export const sha256 = async (file: Blob): Promise<string> => (await new Sha256().addFile(file)).digest();
