/** A weighted mix of classes; also a single class, where there are too many for chips. */

import type { ClassWeight, ModelInfo } from "../../lib/index.js";
import { element } from "../element.js";
import { MOST_CHIPS } from "../state.js";
import { showFill } from "../slider.js";
import { Combobox, type Names } from "./combobox.js";

/** Weights on the page are whole numbers; only their ratios count. */
const FULL_WEIGHT = 100;

export class ClassMix {
  readonly #rows = element("classes", HTMLDivElement);
  readonly #add = element("add-class", HTMLButtonElement);
  readonly #onChange: (classes: ClassWeight[]) => void;
  #shown: Row[] = [];
  #classes: readonly ClassWeight[] = [];
  #names: Names = { names: [], ids: [] };
  #most = 1;

  constructor(onChange: (classes: ClassWeight[]) => void) {
    this.#onChange = onChange;
    this.#add.addEventListener("click", () => {
      const taken = new Set(this.#classes.map((part) => part.class));
      const free = this.#names.names.findIndex((_, index) => !taken.has(index));
      const parts = this.#classes.map((part) =>
        this.#classes.length === 1 ? { ...part, weight: FULL_WEIGHT } : part,
      );
      this.#onChange([...parts, { class: Math.max(0, free), weight: FULL_WEIGHT }]);
      this.#shown.at(-1)?.focus();
    });
  }

  show(classes: readonly ClassWeight[], model: ModelInfo): void {
    this.#classes = classes;
    this.#names = { names: model.classNames, ids: model.classIds };
    this.#most = Math.min(model.maxMixed, model.classNames.length);
    while (this.#shown.length > classes.length) this.#shown.pop()?.remove();
    while (this.#shown.length < classes.length) this.#appendRow();
    const sum = classes.reduce((all, { weight }) => all + weight, 0);
    classes.forEach((part, index) => {
      this.#shown[index]?.show(part, part.weight / sum, classes.length > 1, this.#names);
    });
    this.#rows.hidden = classes.length === 1 && model.classNames.length <= MOST_CHIPS;
    this.#add.hidden = this.#most < 2;
    this.#add.disabled = classes.length >= this.#most;
  }

  #appendRow(): void {
    const index = this.#shown.length;
    const row = new Row(index, {
      onClass: (chosen) => this.#change(index, { class: chosen }),
      onWeight: (weight) => this.#change(index, { weight }),
      onRemove: () => {
        const left = this.#classes.filter((_, at) => at !== index);
        this.#onChange(left.length === 1 ? left.map((part) => ({ ...part, weight: 1 })) : left);
        this.#shown[Math.max(0, index - 1)]?.focus();
      },
    });
    this.#shown.push(row);
    this.#rows.append(row.element);
  }

  #change(index: number, change: Partial<ClassWeight>): void {
    this.#onChange(this.#classes.map((part, at) => (at === index ? { ...part, ...change } : part)));
  }
}

interface RowEvents {
  onClass(index: number): void;
  onWeight(weight: number): void;
  onRemove(): void;
}

class Row {
  readonly element = document.createElement("div");
  readonly #combobox: Combobox;
  readonly #weight = document.createElement("input");
  readonly #share = document.createElement("span");
  readonly #remove = document.createElement("button");

  constructor(index: number, events: RowEvents) {
    const label = document.createElement("label");
    this.#combobox = new Combobox(index === 0 ? "Classes" : "Classes to mix in", events.onClass);
    const { input } = this.#combobox;
    input.id = index === 0 ? "class" : `mixed-${index}`;
    label.htmlFor = input.id;
    label.textContent = index === 0 ? "Class" : `Mixed in, ${index + 1}`;
    if (index > 0) label.className = "unseen";

    const weight = this.#weight;
    weight.type = "range";
    weight.min = "1";
    weight.max = String(FULL_WEIGHT);
    weight.addEventListener("input", () => events.onWeight(weight.valueAsNumber));
    this.#share.className = "value";
    this.#share.setAttribute("aria-hidden", "true");
    this.#remove.type = "button";
    this.#remove.className = "icon";
    this.#remove.textContent = "×";
    this.#remove.addEventListener("click", () => events.onRemove());

    this.element.className = "class-row";
    this.element.append(label, ...this.#combobox.elements, this.#remove, weight, this.#share);
  }

  show(part: ClassWeight, share: number, mixed: boolean, names: Names): void {
    const name = names.names[part.class] ?? "";
    const percent = `${Math.round(100 * share)} %`;
    this.#combobox.show(names, part.class);
    // a link may have any weights: the slider shows those outside its range at its ends
    if (document.activeElement !== this.#weight) this.#weight.value = String(part.weight);
    showFill(this.#weight);
    this.#weight.setAttribute("aria-label", `Weight of ${name}`);
    this.#weight.setAttribute("aria-valuetext", percent);
    this.#share.textContent = percent;
    this.#remove.setAttribute("aria-label", `Remove ${name}`);
    for (const element of [this.#weight, this.#share, this.#remove]) element.hidden = !mixed;
  }

  focus(): void {
    this.#combobox.input.focus();
  }

  remove(): void {
    this.#combobox.remove();
    this.element.remove();
  }
}
