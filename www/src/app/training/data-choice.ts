/** The choice of images: a set that ships with the page, or the visitor's own folder or zip. */

import { listenToDrops } from "../drops.js";
import { element } from "../element.js";
import { sentenceOf } from "../sentence.js";
import { DataPreview } from "./data-preview.js";
import { type Dropped, droppedFiles, pickedFiles } from "./dropped-files.js";
import {
  type Preset,
  readImages,
  readShipped,
  type ReadData,
  RESOLUTIONS,
  SHIPPED,
  SHIPPED_RESOLUTIONS,
  type ShippedSet,
  type TrainingData,
} from "./package.js";

export type Resolution = TrainingData["resolution"];

/** The classes that a first visit trains on, which differ at a glance: planets and sprouts, Trouser and Bag. */
const FIRST: Record<ShippedSet["id"], readonly number[]> = { avatars: [7, 8], "fashion-mnist": [1, 8] };

export class DataChoice {
  readonly #form = element("data", HTMLFormElement);
  readonly #sets = element("data-sets", HTMLDivElement);
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
  /** The set whose classes are shown. */
  #set: ShippedSet | undefined;
  #reading = new AbortController();
  /** What the visitor gave last, to be read again at another resolution. */
  #given: Dropped = { files: [], unopened: [] };
  /** Drops and picks; a folder that is still being listed gives way to a later one. */
  #takes = 0;

  /** `onData` gets the data when they are ready, and `null` while they are not. */
  constructor(onData: (data: TrainingData | null) => void) {
    this.#onData = onData;
    this.#sets.prepend(...SHIPPED.map(radio));
    this.#choose(SHIPPED[0]);
    this.#form.addEventListener("submit", (event) => event.preventDefault());
    for (const input of [this.#sets, this.#labels, this.#fit, this.#background, this.#resolution]) {
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
    if (!ships(resolution)) this.#own.checked = true;
    const set = this.#set;
    if (classes === "all") for (const box of this.#boxes) box.checked = true;
    else if (set && this.#chosen.length === set.classNames.length) this.#check(FIRST[set.id]);
    this.#showFields();
    this.#resolution.value = String(resolution);
    this.read();
  }

  /** Reads the data at the side of the networks that the run starts from, where they can be. */
  resize(resolution: Resolution): void {
    const before = this.#resolution.value;
    if (before === String(resolution)) return;
    if (!ships(resolution)) this.#own.checked = true;
    this.#showFields();
    this.#resolution.value = String(resolution);
    this.read();
  }

  /** Data that were read before, for a run that continues. */
  showKept(data: TrainingData): void {
    this.#reading.abort();
    this.#problem.hidden = true;
    this.#preview.show(data, []);
    const shipped = SHIPPED.find(({ name }) => name === data.name);
    if (shipped) this.#choose(shipped);
    else this.#own.checked = true;
    if (shipped) this.#check(data.classNames.map((name) => (shipped.classNames as readonly string[]).indexOf(name)));
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
    return readShipped({ set: this.#set?.id, resolution: resolution as 16 | 32, classes: this.#chosen, signal });
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

  #check(classes: readonly number[]): void {
    for (const box of this.#boxes) box.checked = classes.includes(Number(box.value));
  }

  /** Selects a set, and shows its classes. */
  #choose(set: ShippedSet): void {
    element(`data-${set.id}`, HTMLInputElement).checked = true;
    this.#showFields();
  }

  #showFields(): void {
    const own = this.#own.checked;
    const set = SHIPPED.find(({ id }) => element(`data-${id}`, HTMLInputElement).checked);
    if (set && set !== this.#set) {
      this.#set = set;
      for (const box of this.#boxes) box.parentElement?.remove();
      this.#classes.append(...set.classNames.map((name, place) => checkbox(name, place, FIRST[set.id].includes(place))));
    }
    this.#classes.hidden = own;
    this.#ownFields.hidden = !own;
    const resolutions = own ? RESOLUTIONS : SHIPPED_RESOLUTIONS;
    if (this.#resolution.options.length === resolutions.length) return;
    const before = this.#resolution.value;
    this.#resolution.replaceChildren(
      ...resolutions.map((side) => new Option(`${side}×${side} pixels`, String(side))),
    );
    this.#resolution.value = resolutions.some((side) => String(side) === before) ? before : String(resolutions[0]);
  }
}

const ships = (resolution: Resolution): boolean => SHIPPED_RESOLUTIONS.some((side) => side === resolution);

function radio({ id, title }: ShippedSet): HTMLLabelElement {
  const input = document.createElement("input");
  input.type = "radio";
  input.name = "source";
  input.id = `data-${id}`;
  return labelled(input, title);
}

function checkbox(name: string, value: number, checked: boolean): HTMLLabelElement {
  const input = document.createElement("input");
  input.type = "checkbox";
  input.id = `data-class-${value}`;
  input.value = String(value);
  input.checked = checked;
  return labelled(input, name);
}

function labelled(input: HTMLInputElement, name: string): HTMLLabelElement {
  const label = document.createElement("label");
  label.className = "check";
  const text = document.createElement("span");
  text.textContent = name;
  label.append(input, text);
  return label;
}
