/** Ways to open something: an offered model, an address, picked files, dropped files. */

import { listenToDrops } from "../drops.js";
import { element } from "../element.js";
import { parseAddress } from "../link.js";
import { sentenceOf } from "../sentence.js";
import { openFiles } from "./files.js";
import { OfferList } from "./offer_list.js";
import type { Source } from "./source.js";

export interface OpenerEvents {
  onLink(link: string): void;
  onSource(source: Source): void;
}

export class Opener {
  readonly #problem = element("open-problem", HTMLParagraphElement);
  readonly #offers: OfferList;
  readonly #events: OpenerEvents;

  constructor(events: OpenerEvents) {
    this.#events = events;
    this.#offers = new OfferList((source) => events.onSource(source));
    const address = element("model-address", HTMLInputElement);
    element("open-address", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      this.#try(() => {
        const whole = parseAddress(new URL(address.value.trim(), document.baseURI).href);
        events.onSource({ kind: "address", address: whole });
      });
    });
    const files = element("files", HTMLInputElement);
    files.addEventListener("change", () => {
      void this.#open([...(files.files ?? [])]);
      files.value = "";
    });
    listenToDrops(({ files }) => void this.#open([...files]));
  }

  /** The model that is in use. */
  set used(source: Source) {
    this.#offers.used = source;
  }

  showProblem(error: unknown): void {
    this.#problem.textContent = sentenceOf(error);
    this.#problem.hidden = false;
    this.#problem.scrollIntoView({ block: "nearest" });
  }

  clearProblem(): void {
    this.#problem.hidden = true;
  }

  async #open(files: File[]): Promise<void> {
    if (files.length === 0) return;
    try {
      const opened = await openFiles(files);
      this.clearProblem();
      if ("link" in opened) this.#events.onLink(opened.link);
      else this.#events.onSource(opened.source);
    } catch (error) {
      this.showProblem(error);
    }
  }

  #try(task: () => void): void {
    try {
      this.clearProblem();
      task();
    } catch (error) {
      this.showProblem(error);
    }
  }
}
