/** The picture of a frame in a loop that plays forwards and backwards, without showing the ends twice. */
export function placeInLoop(frame: number, count: number): number {
  const period = Math.max(1, 2 * (count - 1));
  const place = frame % period;
  return place < count ? place : period - place;
}
