/** The pictures of a view on one sheet, as a file that carries their state. */

import { sheetOf } from "../lib/sheet.js";
import { encodeSmall } from "./png/encode.js";
import { STATE_KEYWORD } from "./png/text.js";

/** Pixels between the pictures and around them. */
const MARGIN = 2;

export async function sheet(images: ImageData[], link: string): Promise<Blob> {
  const canvas = sheetOf(images, MARGIN, "white");
  const whole = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
  return new Blob([await encodeSmall(whole, { [STATE_KEYWORD]: link })], { type: "image/png" });
}

/** Hands a file to the browser's downloads. */
export function download(file: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  // the download has its own hold on the bytes once the click is handled
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
