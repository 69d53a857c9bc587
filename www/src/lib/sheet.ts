/** Pictures side by side. */

/** A canvas with all of them, in about as many columns as rows. */
export function sheetOf(images: ImageData[]): OffscreenCanvas {
  const columns = Math.ceil(Math.sqrt(images.length));
  const rows = Math.ceil(images.length / columns);
  const side = images[0]?.width ?? 1;
  const canvas = new OffscreenCanvas(columns * side, rows * side);
  const context = canvas.getContext("2d")!;
  images.forEach((image, place) =>
    context.putImageData(image, (place % columns) * side, Math.floor(place / columns) * side),
  );
  return canvas;
}
