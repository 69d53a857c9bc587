/** The pictures of a view on one sheet, as a file with their state. */

import { sheetOf } from "../lib/index.js";
import { encodeSmall } from "./png/encode.js";
import { STATE_KEYWORD } from "./png/text.js";

/** Pixels between the pictures and around them. */
const MARGIN = 2;

export async function sheet(images: ImageData[], link: string): Promise<Blob> {
  const whole = sheetOf(images, { gap: MARGIN, border: MARGIN, background: "white" });
  return new Blob([await encodeSmall(whole, { [STATE_KEYWORD]: link })], { type: "image/png" });
}
