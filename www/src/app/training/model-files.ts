/** Downloads and uploads: the trained model, and whole checkpoints. */

import { element } from "../element.js";
import { handOver } from "../handover.js";
import { download } from "../save-file.js";
import { sentenceOf } from "../sentence.js";
import type { TrainingData } from "./package.js";
import type { Session } from "./session.js";

export interface FileEvents {
  /** A checkpoint that the visitor has picked. */
  onCheckpoint(checkpoint: File): Promise<void>;
}

export class ModelFiles {
  readonly #session: Session;
  readonly #buttons = {
    exportModel: element("export-model", HTMLButtonElement),
    openInSampler: element("open-in-sampler", HTMLButtonElement),
    saveCheckpoint: element("save-checkpoint", HTMLButtonElement),
    saveImages: element("save-images", HTMLButtonElement),
  };
  readonly #load = element("load-checkpoint", HTMLInputElement);
  readonly #problem = element("files-problem", HTMLParagraphElement);
  readonly #words = element("files-words", HTMLParagraphElement);
  readonly #link = element("sampler-link", HTMLAnchorElement);

  constructor(session: Session, events: FileEvents) {
    this.#session = session;
    this.#buttons.exportModel.addEventListener("click", () =>
      this.#work("Preparing the model…", async () => {
        const { start, state } = this.#session;
        const model = await this.#model();
        if (start) download(model, `${nameOf(start.data)}-step-${state?.gStep ?? 0}.safetensors`);
        return "The model is in your downloads: the sampler, the element and native-train read it.";
      }),
    );
    this.#buttons.openInSampler.addEventListener("click", () =>
      this.#work("Preparing the model…", async () => {
        this.#link.href = await handOver(await this.#model());
        this.#link.hidden = false;
        // a browser may refuse a window so long after the click: the link remains
        const opened = window.open(this.#link.href, "_blank");
        return opened ? "The sampler is open in another tab." : "The model is ready for the sampler.";
      }),
    );
    this.#buttons.saveCheckpoint.addEventListener("click", () =>
      this.#work("Preparing the checkpoint…", async () => {
        const { start, state } = this.#session;
        const checkpoint = await this.#session.between((trainer) => trainer.save());
        if (start) saveCheckpoint(checkpoint, start.data, `step-${state?.gStep ?? 0}`);
        return "The checkpoint is in your downloads: load it here, or, with the images, continue with native-train --resume.";
      }),
    );
    this.#buttons.saveImages.addEventListener("click", () =>
      this.#work("Packing the images…", async () => {
        download(await this.#session.between((trainer) => trainer.packedImages()), "train.pack");
        return "The images are in your downloads as train.pack, for native-train.";
      }),
    );
    this.#load.addEventListener("change", () => {
      const [file] = this.#load.files ?? [];
      this.#load.value = "";
      if (!file) return;
      void this.#work("Loading the checkpoint…", async () => {
        await events.onCheckpoint(file);
        return `Continued from ${file.name}.`;
      });
    });
  }

  /** `trained`: there is a run to save. */
  show(trained: boolean): void {
    for (const button of Object.values(this.#buttons)) button.disabled = !trained;
  }

  #model(): Promise<Blob> {
    return this.#session.between((trainer) => trainer.exportModel());
  }

  async #work(words: string, work: () => Promise<string>): Promise<void> {
    this.#problem.hidden = true;
    this.#words.textContent = words;
    try {
      this.#words.textContent = await work();
    } catch (error) {
      this.#words.textContent = "";
      this.#problem.textContent = sentenceOf(error);
      this.#problem.hidden = false;
    }
  }
}

/** Offers a checkpoint as a download. */
export function saveCheckpoint(checkpoint: Blob, data: TrainingData, when: string): void {
  download(checkpoint, `${nameOf(data)}-${when}-checkpoint.safetensors`);
}

function nameOf({ name, resolution }: TrainingData): string {
  return `biggan-${name.toLowerCase().replace(/[^a-z0-9]+/g, "-")}-${resolution}px`;
}
