/** Sheets of pictures. */

export interface SheetLayout {
  /** By default about as many as rows. */
  columns?: number;
  /** Pixels between pictures and around them. */
  gap?: number;
  border?: number;
  /** Transparent by default. */
  background?: "white";
}

/** A sheet of pictures of one size, row by row. */
export function sheetOf(images: readonly ImageData[], layout: SheetLayout = {}): ImageData {
  const count = Math.max(1, images.length);
  const { gap = 0, border = 0, background } = layout;
  const columns = Math.min(layout.columns ?? Math.ceil(Math.sqrt(count)), count);
  const { width, height } = images[0] ?? { width: 1, height: 1 };
  const across = (places: number, side: number) => places * (side + gap) - gap + 2 * border;
  const sheet = new ImageData(across(columns, width), across(Math.ceil(count / columns), height));
  if (background) sheet.data.fill(255);
  images.forEach(({ data }, place) => {
    const left = border + (place % columns) * (width + gap);
    const top = border + Math.floor(place / columns) * (height + gap);
    for (let row = 0; row < height; row++) {
      const line = data.subarray(4 * row * width, 4 * (row + 1) * width);
      sheet.data.set(line, 4 * ((top + row) * sheet.width + left));
    }
  });
  return sheet;
}
