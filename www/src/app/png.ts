/** The samples on one sheet, as a file. */

import { fileName } from "./describe.js";
import { images, type Shown } from "./gallery.js";

/** Pixels between the samples and around them. */
const MARGIN = 2;

export async function savePng({ request, className, samples }: Shown): Promise<void> {
  const columns = Math.ceil(Math.sqrt(samples.count));
  const rows = Math.ceil(samples.count / columns);
  const cell = samples.side + MARGIN;
  const canvas = new OffscreenCanvas(columns * cell + MARGIN, rows * cell + MARGIN);
  const context = canvas.getContext("2d");
  if (!context) throw new Error("this browser gives no 2-D canvas to save from");
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  images(samples).forEach((image, index) => {
    const [column, row] = [index % columns, Math.floor(index / columns)];
    context.putImageData(image, MARGIN + column * cell, MARGIN + row * cell);
  });
  const address = URL.createObjectURL(await canvas.convertToBlob({ type: "image/png" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = fileName(request, className);
  link.click();
  // the download has its own hold on the bytes once the click is handled
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
