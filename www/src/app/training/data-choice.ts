/** The choice of images: the set that ships with the page, or the visitor's own folder or zip. */

import { listenToDrops } from "../drops.js";
import { element } from "../element.js";
import { sentenceOf } from "../sentence.js";
import { DataPreview } from "./data-preview.js";
import { type Dropped, droppedFiles, pickedFiles } from "./dropped-files.js";
import { type Preset, readImages, readShipped, type ReadData, SHIPPED, type TrainingData } from "./package.js";

export type Resolution = TrainingData["resolution"];

const OWN_RESOLUTIONS: readonly Resolution[] = [16, 32, 64];

export class DataChoice {
  readonly #form = element("data", HTMLFormElement);
  readonly #shipped = element("data-shipped", HTMLInputElement);
  readonly #own = element("data-own", HTMLInputElement);
  readonly #classes = element("data-classes", HTMLFieldSetElement);
  readonly #ownFields = element("data-own-fields", HTMLDivElement);
  readonly #folder = element("data-folder", HTMLInputElement);
  readonly #zip = element("data-zip", HTMLInputElement);
  readonly #labels = element("data-labels", HTMLInputElement);
  readonly #fit = element("data-fit", HTMLSelectElement);
  readonly #background = element("data-background", HTMLInputElement);
  readonly #resolution = element("data-resolution", HTMLSelectElement);
  readonly #problem = element("data-problem", HTMLParagraphElement);
  readonly #progress = element("data-progress", HTMLParagraphElement);
  readonly #preview = new DataPreview();
  readonly #onData: (data: TrainingData | null) => void;
  readonly #first: readonly number[];
  #reading = new AbortController();
  /** What the visitor gave last, to be read again at another resolution. */
  #given: Dropped = { files: [], unopened: [] };
  /** Drops and picks; a folder that is still being listed gives way to a later one. */
  #takes = 0;

  /** `classes` are selected at first; `onData` gets the data when they are ready, and `null` while they are not. */
  constructor(classes: readonly number[], onData: (data: TrainingData | null) => void) {
    this.#onData = onData;
    this.#first = classes;
    SHIPPED.classNames.forEach((name, index) => this.#classes.append(checkbox(name, index, classes.includes(index))));
    this.#form.addEventListener("submit", (event) => event.preventDefault());
    for (const input of [this.#shipped, this.#own, this.#labels, this.#fit, this.#background, this.#resolution]) {
      input.addEventListener("change", () => this.read());
    }
    this.#classes.addEventListener("change", () => this.read());
    this.#folder.addEventListener("change", () => this.#pick(this.#folder, this.#zip));
    this.#zip.addEventListener("change", () => this.#pick(this.#zip, this.#folder));
    listenToDrops((transfer) => {
      const take = ++this.#takes;
      this.#progress.textContent = "Listing the files…";
      // a drop may be anywhere on the page: what becomes of it is said here
      this.#progress.scrollIntoView({ block: "nearest" });
      droppedFiles(transfer).then(
        (dropped) => {
          if (take === this.#takes) this.#take(dropped);
        },
        (error: unknown) => {
          if (take !== this.#takes) return;
          this.#progress.textContent = "";
          this.showProblem(error);
        },
      );
    });
    this.#showFields();
  }

  /** Chooses the data of a preset: the visitor's images if the shipped images do not have its size. */
  suit({ resolution, classes }: Preset): void {
    const ships = SHIPPED.resolutions.some((side) => side === resolution);
    if (!ships) this.#own.checked = true;
    const all = this.#chosen.length === SHIPPED.classNames.length;
    if (classes >= SHIPPED.classNames.length) for (const box of this.#boxes) box.checked = true;
    else if (all) for (const box of this.#boxes) box.checked = this.#first.includes(Number(box.value));
    this.#showFields();
    this.#resolution.value = String(resolution);
    this.read();
  }

  /** Reads the data at the side of the networks that the run starts from, where they can be. */
  resize(resolution: Resolution): void {
    const before = this.#resolution.value;
    if (before === String(resolution)) return;
    if (!SHIPPED.resolutions.some((side) => side === resolution)) this.#own.checked = true;
    this.#showFields();
    this.#resolution.value = String(resolution);
    this.read();
  }

  /** Data that were read before, for a run that continues. */
  showKept(data: TrainingData): void {
    this.#reading.abort();
    this.#problem.hidden = true;
    this.#preview.show(data, []);
    const shipped = data.name.startsWith(SHIPPED.name);
    this.#shipped.checked = shipped;
    this.#own.checked = !shipped;
    if (shipped) {
      for (const box of this.#boxes) box.checked = data.classNames.includes(SHIPPED.classNames[Number(box.value)] ?? "");
    }
    this.#showFields();
    this.#resolution.value = String(data.resolution);
  }

  /** Reads the chosen images; an earlier read is aborted. */
  read(): void {
    this.#showFields();
    this.#reading.abort();
    const reading = (this.#reading = new AbortController());
    this.#problem.hidden = true;
    this.#onData(null);
    const missing = this.#missing;
    if (missing) {
      this.#preview.show(null, []);
      this.#progress.textContent = missing;
      return;
    }
    this.#progress.textContent = "Reading the images…";
    this.#load(reading.signal).then(
      ({ data, findings }) => {
        if (reading.signal.aborted) return;
        this.#progress.textContent = "";
        this.#preview.show(data, findings);
        this.#onData(data);
      },
      (error: unknown) => {
        if (reading.signal.aborted) return;
        this.#progress.textContent = "";
        this.#preview.show(null, []);
        this.showProblem(error);
      },
    );
  }

  showProblem(error: unknown): void {
    this.#problem.textContent = sentenceOf(error);
    this.#problem.hidden = false;
    this.#problem.scrollIntoView({ block: "nearest" });
  }

  #load(signal: AbortSignal): Promise<ReadData> {
    const resolution = Number(this.#resolution.value) as Resolution;
    if (this.#own.checked) {
      const onProgress = (done: number, total: number) => {
        if (!signal.aborted) {
          this.#progress.textContent = `Reading the images: ${done.toLocaleString("en")} of ${total.toLocaleString("en")}`;
        }
      };
      const fit = this.#fit.value as "crop" | "pad";
      const labels = this.#labels.files?.[0];
      return readImages({ ...this.#given, labels, resolution, fit, background: this.#background.value, signal, onProgress });
    }
    return readShipped({ resolution: resolution as 16 | 32, classes: this.#chosen, signal });
  }

  /** Takes what was picked in place of what the other field has. */
  #pick(from: HTMLInputElement, other: HTMLInputElement): void {
    this.#takes += 1;
    if (from.files?.length) other.value = "";
    this.#take({ files: pickedFiles(from.files ?? []), unopened: [] });
  }

  #take(given: Dropped): void {
    if (given.files.length + given.unopened.length === 0) {
      this.#progress.textContent = "";
      return;
    }
    this.#given = given;
    this.#own.checked = true;
    this.read();
  }

  /** What the visitor has yet to choose; empty if nothing. */
  get #missing(): string {
    if (this.#own.checked) return this.#given.files.length + this.#given.unopened.length === 0 ? "Choose a folder or a zip to begin." : "";
    return this.#chosen.length === 0 ? "Choose a class to begin." : "";
  }

  get #chosen(): number[] {
    return this.#boxes.filter(({ checked }) => checked).map(({ value }) => Number(value));
  }

  get #boxes(): HTMLInputElement[] {
    return [...this.#classes.querySelectorAll("input")];
  }

  #showFields(): void {
    const own = this.#own.checked;
    this.#classes.hidden = own;
    this.#ownFields.hidden = !own;
    const resolutions = own ? OWN_RESOLUTIONS : SHIPPED.resolutions;
    if (this.#resolution.options.length === resolutions.length) return;
    const before = this.#resolution.value;
    this.#resolution.replaceChildren(
      ...resolutions.map((side) => new Option(`${side}×${side} pixels`, String(side))),
    );
    this.#resolution.value = resolutions.some((side) => String(side) === before) ? before : String(resolutions[0]);
  }
}

function checkbox(name: string, value: number, checked: boolean): HTMLLabelElement {
  const label = document.createElement("label");
  label.className = "check";
  const input = document.createElement("input");
  input.type = "checkbox";
  input.id = `data-class-${value}`;
  input.value = String(value);
  input.checked = checked;
  const text = document.createElement("span");
  text.textContent = name;
  label.append(input, text);
  return label;
}
