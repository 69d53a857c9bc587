/** A sheet of small images of the same size. */

/** Transparent pixels between two images. */
const GAP = 1;

/** The images row by row. */
export function sheetOf(images: readonly ImageData[], columns: number): ImageData {
  const side = images[0]?.width ?? 1;
  const across = Math.min(columns, Math.max(1, images.length));
  const rows = Math.max(1, Math.ceil(images.length / across));
  const sheet = new ImageData(across * (side + GAP) - GAP, rows * (side + GAP) - GAP);
  images.forEach((image, index) => {
    const left = (index % across) * (side + GAP);
    const top = Math.floor(index / across) * (side + GAP);
    for (let row = 0; row < side; row++) {
      const line = image.data.subarray(row * side * 4, (row + 1) * side * 4);
      sheet.data.set(line, ((top + row) * sheet.width + left) * 4);
    }
  });
  return sheet;
}

/** Shows an image in a canvas of its size. */
export function put(canvas: HTMLCanvasElement, image: ImageData): void {
  if (canvas.width !== image.width) canvas.width = image.width;
  if (canvas.height !== image.height) canvas.height = image.height;
  canvas.getContext("2d")?.putImageData(image, 0, 0);
}
