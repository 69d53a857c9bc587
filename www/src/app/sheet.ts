/** The pictures of a view on one sheet, or a single one, as a file with their state. */

import { sheetOf } from "../lib/index.js";
import { enlarged } from "./enlarge.js";
import { encodeSmall } from "./png/encode.js";
import { STATE_KEYWORD } from "./png/text.js";

/** Between the pictures and around them, in pixels of a picture. */
const MARGIN = 2;
/** Smaller files are enlarged: elsewhere they would be shown tiny, or blurred. */
const LEAST_SIDE = 1024;

export const sheet = (images: ImageData[], link: string): Promise<Blob> =>
  fileOf(sheetOf(images, { gap: MARGIN, border: MARGIN, background: "white" }), link);

export async function fileOf(small: ImageData, link: string): Promise<Blob> {
  const whole = enlarged(small, Math.ceil(LEAST_SIDE / Math.min(small.width, small.height)));
  return new Blob([await encodeSmall(whole, { [STATE_KEYWORD]: link })], { type: "image/png" });
}
