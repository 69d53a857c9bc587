import assert from "node:assert/strict";

/** Requires equal numbers of images, the same size, and channels at most `tolerance` apart. */
export function assertClose(found, expected, tolerance) {
  assert.equal(found.length, expected.length, "number of images");
  let largest = 0;
  found.forEach((image, index) => {
    assert.equal(image.length, expected[index].length, `bytes of image ${index}`);
    image.forEach((byte, at) => {
      largest = Math.max(largest, Math.abs(byte - expected[index][at]));
    });
  });
  assert.ok(largest <= tolerance, `channels differ by ${largest} of 255, allowed ${tolerance}`);
  return largest;
}

/**
 * Requires the same picture, or the same pictures. What is computed together decides the last bit of a sum
 * (docs/package.md), so that a channel may fall to the other side of a rounding.
 */
export function assertSame(found, expected) {
  const list = (pictures) => (typeof pictures[0] === "number" ? [pictures] : pictures);
  assertClose(list(found), list(expected), 1);
}
