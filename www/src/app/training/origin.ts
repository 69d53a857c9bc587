/** What a run starts from: random weights, or the networks of a model or of a checkpoint (fine-tuning). */

import { type Offer, OFFERS } from "../model/offers.js";
import { type Networks, networksOf, RESOLUTIONS } from "./package.js";

/** Trained networks, and what they dictate. */
export interface Origin {
  name: string;
  file: Blob;
  networks: Networks;
}

/** Steps of D alone with which a run begins that has trained G and a new D: G would unlearn from a D that knows nothing. */
export const D_FIRST = 50;

/** Steps of D alone before both learn. */
export const dFirstOf = (origin: Origin | null): number => (origin && !origin.networks.hasDiscriminator ? D_FIRST : 0);

/** The page's own models that a browser can train. */
export const OWN_ORIGINS: readonly Offer[] = OFFERS.filter(
  ({ file, resolution }) => !URL.canParse(file) && RESOLUTIONS.some((side) => side === resolution),
);

/** Reads networks; throws if no training can start from them. */
export async function originOf(name: string, file: Blob): Promise<Origin> {
  return { name, file, networks: await networksOf(file) };
}

/** Fetches one of the page's own models. */
export async function fetchOrigin({ name, address }: Offer, signal: AbortSignal): Promise<Origin> {
  const response = await fetch(address, { signal });
  if (!response.ok) throw new Error(`${name} could not be loaded: the server answered ${response.status}; try again`);
  return originOf(name, await response.blob());
}

/** What a visitor should know of it. */
export function sentenceOfOrigin({ name, networks }: Origin): string {
  const { classNames, resolution, hasDiscriminator } = networks;
  const classes = `${classNames.length} ${classNames.length === 1 ? "class" : "classes"}`;
  const d = hasDiscriminator
    ? "Its D goes on as well."
    : `A model has no D: Play begins with ${D_FIRST} steps of a new D alone, then both learn.`;
  return (
    `${name} draws ${classes} of ${resolution}×${resolution} pixels, and sets width, size of z and attention. ` +
    `Classes of the same name go on, new ones start as one of its own. ${d}`
  );
}
