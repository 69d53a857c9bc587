/**
 * SHA-256: of bytes that come one after another, on any page, and of a few megabytes at once by the browser, which is
 * quicker but has that on https alone.
 */

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
    return hexOf(this.digest());
  }
}

/** Whether the browser hashes what is in memory. */
export const hashesAtOnce = (): boolean => globalThis.crypto?.subtle !== undefined;

/** The SHA-256 of bytes in memory, by the browser. */
export const sha256AtOnce = async (bytes: Uint8Array<ArrayBuffer>): Promise<string> =>
  hexOf(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));

const hexOf = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** The SHA-256 of a file, in lower-case hex. */
export const sha256 = async (file: Blob): Promise<string> => (await new Sha256().updateFile(file)).hex();
