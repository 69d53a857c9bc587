/** The button that saves the loop: as a video, or as a GIF where the browser encodes none. */

import type { Clip } from "./clip.js";
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
    this.#button.addEventListener("click", () => void this.#save());
  }

  /** Whether there is a loop to save. */
  set ready(ready: boolean) {
    this.#button.disabled = !ready;
  }

  async #save(): Promise<void> {
    const wanted = this.#wanted();
    this.#button.disabled = true;
    this.#words.textContent = "Encoding…";
    try {
      const clip = await videoOf(wanted);
      const { file, ending } = clip ?? (await import("./gif.js")).gifOf(wanted.images, wanted.perSecond);
      download(file, `${wanted.name}.${ending}`);
      this.#words.textContent = clip ? "Clip saved." : "Saved as a GIF, of 256 colours a picture: this browser encodes no video.";
    } catch (error) {
      this.#words.textContent = `No clip was saved: ${sentenceOf(error)}`;
    } finally {
      this.ready = this.#wanted().images.length > 0;
    }
  }
}

/** `null` where the browser does not encode video (WebCodecs), or has no codec for it. */
async function videoOf({ images, perSecond }: Loopable): Promise<Clip | null> {
  if (typeof VideoEncoder === "undefined") return null;
  return (await import("./clip.js")).clipOf(images, perSecond);
}
