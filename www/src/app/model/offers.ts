/** Models that the page offers: the entries of `models/index.json`. */

/** An entry. What a build with another model in place of the page's own does not know is missing. */
interface Entry {
  name: string;
  /** Next to the index, or a full address. */
  file: string;
  classes?: number;
  resolution?: number;
  bytes?: number;
  licence?: string;
  description?: string;
}

export interface Offer extends Entry {
  address: string;
}

/** Set by the build. */
declare const MODELS: Entry[];

const DIRECTORY = new URL("models/", document.baseURI);

export const OFFERS: readonly Offer[] = MODELS.map((entry) => ({
  ...entry,
  address: new URL(entry.file, DIRECTORY).href,
}));

/** The page's own model. */
export const OWN = OFFERS[0] as Offer;
