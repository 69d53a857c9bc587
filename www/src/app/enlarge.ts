/** Each pixel as a square of pixels. */
export function enlarged(image: ImageData, factor: number): ImageData {
  const large = new ImageData(image.width * factor, image.height * factor);
  const [from, to] = [new Uint32Array(image.data.buffer), new Uint32Array(large.data.buffer)];
  for (let y = 0; y < large.height; y++) {
    const line = Math.floor(y / factor) * image.width;
    for (let x = 0; x < large.width; x++) to[y * large.width + x] = from[line + Math.floor(x / factor)] ?? 0;
  }
  return large;
}
