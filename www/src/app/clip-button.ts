/** The button that saves the loop as a video. */

import { element } from "./element.js";
import { download } from "./save-file.js";
import { sentenceOf } from "./sentence.js";

/** What is saved; without pictures until all are drawn. */
export interface Loopable {
  images: readonly ImageData[];
  perSecond: number;
  /** Of the file, without its ending. */
  name: string;
}

export class ClipButton {
  readonly #button = element("save-clip", HTMLButtonElement);
  readonly #words = element("clip-words", HTMLParagraphElement);
  readonly #wanted: () => Loopable;

  constructor(wanted: () => Loopable) {
    this.#wanted = wanted;
    if (typeof VideoEncoder === "undefined") {
      this.#words.textContent = "No clip can be saved: this browser does not encode video (WebCodecs).";
      return;
    }
    this.#button.addEventListener("click", () => void this.#save());
  }

  /** Whether there is a loop to save. */
  set ready(ready: boolean) {
    this.#button.disabled = !ready || typeof VideoEncoder === "undefined";
  }

  async #save(): Promise<void> {
    const wanted = this.#wanted();
    this.#button.disabled = true;
    this.#words.textContent = "Encoding…";
    try {
      const { clipOf } = await import("./clip.js");
      const { file, ending } = await clipOf(wanted.images, wanted.perSecond);
      download(file, `${wanted.name}.${ending}`);
      this.#words.textContent = "Clip saved.";
    } catch (error) {
      this.#words.textContent = `No clip was saved: ${sentenceOf(error)}`;
    } finally {
      this.ready = this.#wanted().images.length > 0;
    }
  }
}
