/** The choice of what a run starts from. */

import { element } from "../element.js";
import { sentenceOf } from "../sentence.js";
import { fetchOrigin, type Origin, originOf, OWN_ORIGINS, sentenceOfOrigin } from "./origin.js";
import type { TrainingData } from "./package.js";

/** Values of the list next to the numbers of the page's own models. */
const RANDOM = "";
const FILE = "file";

export class OriginChoice {
  readonly #select = element("origin", HTMLSelectElement);
  readonly #fileField = element("origin-file-field", HTMLDivElement);
  readonly #file = element("origin-file", HTMLInputElement);
  readonly #about = element("origin-about", HTMLParagraphElement);
  readonly #problem = element("origin-problem", HTMLParagraphElement);
  readonly #onOrigin: (origin: Origin | null) => void;
  #origin: Origin | null = null;
  /** What the run started from, of which only the name is kept. */
  #startedFrom: string | undefined;
  #reading = new AbortController();

  constructor(onOrigin: (origin: Origin | null) => void) {
    this.#onOrigin = onOrigin;
    this.#select.replaceChildren(
      new Option("Random weights", RANDOM),
      ...OWN_ORIGINS.map(({ name, resolution }, index) => new Option(`${name}, ${resolution} pixels`, String(index))),
      new Option("A model or checkpoint file", FILE),
    );
    this.#select.addEventListener("change", () => this.#choose());
    this.#file.addEventListener("change", () => {
      const [file] = this.#file.files ?? [];
      if (file) this.#read(file.name, () => originOf(file.name, file));
    });
    this.#show();
  }

  get origin(): Origin | null {
    return this.#origin;
  }

  /** Chooses what a run has started from, or says its name. */
  show(origin: Origin | null, startedFrom?: string): void {
    this.#reading.abort();
    this.#problem.hidden = true;
    const own = OWN_ORIGINS.findIndex(({ name }) => name === origin?.name);
    this.#select.value = !origin ? RANDOM : own >= 0 ? String(own) : FILE;
    this.#origin = origin;
    this.#startedFrom = startedFrom;
    this.#show();
  }

  /** Says what of the data does not fit; returns whether they fit. */
  fits(data: TrainingData | null): boolean {
    const { name, networks } = this.#origin ?? {};
    if (!data || !networks || data.resolution === networks.resolution) {
      if (this.#origin) this.#problem.hidden = true;
      return true;
    }
    const side = `${networks.resolution}×${networks.resolution}`;
    this.#tell(
      `${name} draws ${side} pixels, and the data have ${data.resolution}×${data.resolution}: choose ${side} pixels as ` +
        "their size, or start from random weights",
    );
    return false;
  }

  #choose(): void {
    const { value } = this.#select;
    this.#reading.abort();
    this.#problem.hidden = true;
    this.#set(null);
    if (value === FILE) this.#file.value = "";
    const offer = value === RANDOM || value === FILE ? undefined : OWN_ORIGINS[Number(value)];
    if (offer) this.#read(offer.name, (signal) => fetchOrigin(offer, signal));
  }

  #read(name: string, read: (signal: AbortSignal) => Promise<Origin>): void {
    this.#reading.abort();
    const { signal } = (this.#reading = new AbortController());
    this.#problem.hidden = true;
    this.#set(null);
    this.#about.textContent = `Reading ${name}…`;
    read(signal).then(
      (origin) => {
        if (!signal.aborted) this.#set(origin);
      },
      (error: unknown) => {
        if (signal.aborted) return;
        this.#show();
        this.#tell(sentenceOf(error));
      },
    );
  }

  #set(origin: Origin | null): void {
    this.#origin = origin;
    this.#startedFrom = undefined;
    this.#show();
    this.#onOrigin(origin);
  }

  #show(): void {
    this.#fileField.hidden = this.#select.value !== FILE;
    const past = `This run started from ${this.#startedFrom}; a new run starts from what is chosen here.`;
    this.#about.textContent = this.#origin ? sentenceOfOrigin(this.#origin) : this.#startedFrom ? past : "";
  }

  #tell(problem: string): void {
    const text = sentenceOf(problem);
    if (this.#problem.textContent !== text) this.#problem.textContent = text;
    this.#problem.hidden = false;
  }
}
