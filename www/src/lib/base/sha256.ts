/** SHA-256 of bytes that come one after another, on any page: `crypto.subtle` wants all at once, and https. */

import { SHA256 } from "@stablelib/sha256";
import { chunksOf } from "./chunks.js";

export class Sha256 {
  readonly #hash = new SHA256();

  add(bytes: Uint8Array): this {
    this.#hash.update(bytes);
    return this;
  }

  /** The file is never in memory as a whole. */
  async addFile(file: Blob): Promise<this> {
    for await (const chunk of chunksOf(file.stream())) this.add(chunk);
    return this;
  }

  /** In lower-case hex. Nothing can be added afterwards. */
  digest(): string {
    return Array.from(this.#hash.digest(), (byte) => byte.toString(16).padStart(2, "0")).join("");
  }
}

/** The SHA-256 of a file, in lower-case hex. */
export const sha256 = async (file: Blob): Promise<string> => (await new Sha256().addFile(file)).digest();
