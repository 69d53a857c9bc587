/** The images of a probe. */

import type { Look, Scored } from "./api.js";
import type { Seen } from "./protocol.js";

/** Cuts the bytes of a probe into its images. */
export function lookOf(seen: Seen, gStep: number): Look {
  const bytes = seen.side ** 2 * 4;
  let next = 0;
  const image = () => {
    const start = bytes * next++;
    return new ImageData(seen.rgba.slice(start, start + bytes), seen.side, seen.side);
  };
  const scored = ({ classes, scores }: Seen["real"]): Scored[] =>
    classes.map((place, i) => ({ image: image(), class: place, score: scores[i]! }));
  return {
    gStep,
    grid: seen.grid.classes.map((place) => ({ image: image(), class: place })),
    real: scored(seen.real),
    fake: scored(seen.fake),
    sigmas: Object.entries(seen.sigmas).map(([name, sigma]) => {
      const [network, ...layer] = name.split(".");
      return { network: network === "generator" ? "g" : "d", layer: layer.join("."), sigma };
    }),
  };
}
