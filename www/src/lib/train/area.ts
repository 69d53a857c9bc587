/**
 * The central square of a picture, resized by area resampling (BigGAN), in
 * which each pixel is the mean of the area it covers.
 */

/** Shares of source pixels in a target pixel. */
interface Cover {
  first: number;
  weights: Float64Array;
}

/** The pixels covered by each of `to` equal parts of a line of `from` pixels; the weights of a part sum to 1. */
function covers(from: number, to: number): Cover[] {
  const length = from / to;
  return Array.from({ length: to }, (_, place) => {
    const [start, end] = [place * length, (place + 1) * length];
    const first = Math.floor(start);
    const last = Math.min(from, Math.max(first + 1, Math.ceil(end - 1e-9)));
    const weights = Float64Array.from({ length: last - first }, (_, i) => {
      const pixel = first + i;
      return (Math.min(end, pixel + 1) - Math.max(start, pixel)) / length;
    });
    return { first, weights };
  });
}

/** RGB bytes `[resolution, resolution, 3]` of the middle of an RGBA picture; transparency is black. */
export function squareRgb(
  rgba: Uint8ClampedArray,
  width: number,
  height: number,
  resolution: number,
): Uint8Array {
  const side = Math.min(width, height);
  const left = Math.floor((width - side) / 2);
  const top = Math.floor((height - side) / 2);
  const parts = covers(side, resolution);
  // along the lines first: [side, resolution, 3]
  const lines = new Float64Array(side * resolution * 3);
  for (let y = 0; y < side; y++) {
    const line = ((top + y) * width + left) * 4;
    parts.forEach(({ first, weights }, x) => {
      const to = (y * resolution + x) * 3;
      weights.forEach((weight, i) => {
        const from = line + (first + i) * 4;
        const opaque = (weight * rgba[from + 3]!) / 255;
        for (let channel = 0; channel < 3; channel++)
          lines[to + channel]! += opaque * rgba[from + channel]!;
      });
    });
  }
  const out = new Uint8Array(resolution * resolution * 3);
  parts.forEach(({ first, weights }, y) => {
    for (let at = 0; at < resolution * 3; at++) {
      let sum = 0;
      weights.forEach((weight, i) => (sum += weight * lines[(first + i) * resolution * 3 + at]!));
      out[y * resolution * 3 + at] = Math.min(255, Math.floor(sum + 0.5));
    }
  });
  return out;
}
