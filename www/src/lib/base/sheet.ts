/** Pictures side by side. */

/** A canvas with all of them, in about as many columns as rows, `margin` pixels between them and around them. */
export function sheetOf(images: ImageData[], margin = 0, background?: string): OffscreenCanvas {
  const columns = Math.ceil(Math.sqrt(images.length));
  const rows = Math.ceil(images.length / columns);
  const cell = (images[0]?.width ?? 1) + margin;
  const canvas = new OffscreenCanvas(columns * cell + margin, rows * cell + margin);
  const context = canvas.getContext("2d");
  if (!context) throw new Error("this browser gives no 2-D canvas to save from");
  if (background) {
    context.fillStyle = background;
    context.fillRect(0, 0, canvas.width, canvas.height);
  }
  images.forEach((image, place) => {
    const [column, row] = [place % columns, Math.floor(place / columns)];
    context.putImageData(image, margin + column * cell, margin + row * cell);
  });
  return canvas;
}
