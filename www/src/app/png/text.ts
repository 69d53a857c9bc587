/** Text in a PNG: `tEXt` chunks of a keyword, a zero byte, and Latin-1 (PNG specification, 11.3.4.3). */

import { type Chunk, split } from "./chunks.js";

/** Keyword of the state in a picture. */
export const STATE_KEYWORD = "biggan-state";

/** @throws if a character is not Latin-1; the texts here are addresses and names in ASCII. */
export function textChunk(keyword: string, text: string): Chunk {
  const letters = `${keyword}\0${text}`;
  const data = Uint8Array.from(letters, (letter) => {
    const code = letter.charCodeAt(0);
    if (code > 0xff) throw new Error(`${JSON.stringify(letter)} cannot be stored in a PNG's text`);
    return code;
  });
  return { type: "tEXt", data };
}

/** The text of a keyword, or null if the file has none. */
export function findText(file: Uint8Array, keyword: string): string | null {
  for (const { type, data } of split(file)) {
    if (type !== "tEXt") continue;
    const end = data.indexOf(0);
    const latin1 = (bytes: Uint8Array) => Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
    if (latin1(data.subarray(0, end)) === keyword) return latin1(data.subarray(end + 1));
  }
  return null;
}
