/** SHA-256 of bytes that come one after another, on any page: `crypto.subtle` wants all at once, and https. */

import { SHA256 } from "@stablelib/sha256";
import { chunksOf } from "./chunks.js";

export class Sha256 extends SHA256 {
  /** The file is never in memory as a whole. */
  async updateFile(file: Blob): Promise<this> {
    for await (const chunk of chunksOf(file.stream())) this.update(chunk);
    return this;
  }

  /** In lower case. Nothing can be added afterwards. */
  hex(): string {
    return Array.from(this.digest(), (byte) => byte.toString(16).padStart(2, "0")).join("");
  }
}

/** The SHA-256 of a file, in lower-case hex. */
export const sha256 = async (file: Blob): Promise<string> => (await new Sha256().updateFile(file)).hex();
