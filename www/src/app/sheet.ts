/** The pictures of a view on one sheet, as a file that carries their state. */

import { encodeSmall } from "./png/encode.js";
import { STATE_KEYWORD } from "./png/text.js";

/** Pixels between the pictures and around them. */
const MARGIN = 2;

export async function sheet(images: ImageData[], link: string): Promise<Blob> {
  const side = images[0]?.width ?? 0;
  const columns = Math.ceil(Math.sqrt(images.length));
  const rows = Math.ceil(images.length / columns);
  const cell = side + MARGIN;
  const canvas = new OffscreenCanvas(columns * cell + MARGIN, rows * cell + MARGIN);
  const context = canvas.getContext("2d");
  if (!context) throw new Error("this browser gives no 2-D canvas to save from");
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  images.forEach((image, index) => {
    const [column, row] = [index % columns, Math.floor(index / columns)];
    context.putImageData(image, MARGIN + column * cell, MARGIN + row * cell);
  });
  const whole = context.getImageData(0, 0, canvas.width, canvas.height);
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
