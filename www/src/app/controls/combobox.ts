/** A field to search in names: combobox with a listbox (ARIA Authoring Practices, "Combobox"). */

import { search } from "../fuzzy.js";

export interface Names {
  names: readonly string[];
  /** Ids in an external vocabulary, if any. */
  ids: readonly string[];
}

/** Rows that Page Up and Page Down move. */
const PAGE_ROWS = 8;
/** Distance of the list from its field and from the edges of the window, in pixels. */
const GAP = 4;
const ENOUGH_HEIGHT = 160;
const MOST_HEIGHT = 420;

/** `keyCode` of a key that an input method handles (UI Events, "Determine keydown / keyup keyCode"). */
const COMPOSING = 229;

let comboboxes = 0;

export class Combobox {
  readonly input = document.createElement("input");
  readonly #popup = document.createElement("div");
  readonly #list = document.createElement("ul");
  readonly #none = document.createElement("p");
  readonly #count = document.createElement("p");
  readonly #number = comboboxes++;
  readonly #onChoose: (index: number) => void;
  #names: Names = { names: [], ids: [] };
  #value = 0;
  /** Indices of the names that the list shows. */
  #found: number[] = [];
  /** Aborted when the list closes. */
  #opened = new AbortController();
  /** Row of the list that Enter selects. */
  #active = -1;

  /** The label is that of the list; the field is labelled by the page. */
  constructor(label: string, onChoose: (index: number) => void) {
    this.#onChoose = onChoose;
    const { input } = this;
    const list = `options-${this.#number}`;
    input.type = "text";
    input.autocomplete = "off";
    input.spellcheck = false;
    const attributes = {
      role: "combobox",
      "aria-autocomplete": "list",
      "aria-expanded": "false",
      "aria-controls": list,
      autocapitalize: "off",
    };
    for (const [name, value] of Object.entries(attributes)) input.setAttribute(name, value);
    this.#list.id = list;
    this.#list.setAttribute("role", "listbox");
    this.#list.setAttribute("aria-label", label);
    this.#none.className = "none";
    this.#count.className = "unseen";
    this.#count.setAttribute("aria-live", "polite");
    this.#popup.className = "options";
    this.#popup.popover = "manual";
    this.#popup.append(this.#list, this.#none);

    input.addEventListener("focus", () => input.select());
    // WebKit would drop the selection where the mouse is let go
    input.addEventListener("mouseup", (event) => {
      if (!this.#isOpen) event.preventDefault();
    });
    input.addEventListener("click", () => {
      if (this.#isOpen) return;
      // WebKit puts the caret where the pointer was, after the focus
      input.select();
      this.#open("");
    });
    input.addEventListener("input", () => this.#open(input.value));
    input.addEventListener("keydown", (event) => this.#key(event));
    input.addEventListener("blur", () => this.#close());
    // a press in the list must not take the focus from the field
    this.#popup.addEventListener("pointerdown", (event) => event.preventDefault());
    this.#list.addEventListener("click", (event) => {
      const option = (event.target as HTMLElement).closest("li");
      if (option) this.#take(Array.from(this.#list.children).indexOf(option));
    });
  }

  /** The elements to add to the page: the field and its list. */
  get elements(): HTMLElement[] {
    return [this.input, this.#popup, this.#count];
  }

  show(names: Names, value: number): void {
    this.#names = names;
    this.#value = value;
    if (!this.#isOpen) this.input.value = names.names[value] ?? "";
  }

  remove(): void {
    this.#close();
    for (const element of this.elements) element.remove();
  }

  get #isOpen(): boolean {
    return this.input.getAttribute("aria-expanded") === "true";
  }

  #open(query: string): void {
    if (!this.input.isConnected) return;
    this.#found = search(query, this.#names.names, this.#names.ids);
    this.#list.replaceChildren(...this.#found.map((index, row) => this.#option(index, row)));
    const none = this.#found.length === 0;
    this.#list.hidden = none;
    this.#none.hidden = !none;
    this.#none.textContent = `No class matches “${query}”.`;
    this.#count.textContent = none ? this.#none.textContent : `${this.#found.length} ${this.#found.length === 1 ? "class" : "classes"}`;
    if (!this.#isOpen) {
      this.input.setAttribute("aria-expanded", "true");
      this.#popup.showPopover();
      const { signal } = (this.#opened = new AbortController());
      addEventListener("resize", () => this.#place(), { signal });
      addEventListener("scroll", () => this.#place(), { passive: true, capture: true, signal });
    }
    this.#place();
    this.#activate(query === "" ? this.#found.indexOf(this.#value) : none ? -1 : 0);
  }

  /** Closes the list and shows the chosen name again. */
  #close(): void {
    if (!this.#isOpen) return;
    this.#opened.abort();
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
    if (this.#popup.isConnected) this.#popup.hidePopover();
    this.#count.textContent = "";
    this.input.value = this.#names.names[this.#value] ?? "";
  }

  #option(index: number, row: number): HTMLLIElement {
    const option = document.createElement("li");
    option.id = `option-${this.#number}-${row}`;
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", String(index === this.#value));
    option.textContent = this.#names.names[index] ?? "";
    return option;
  }

  #activate(row: number): void {
    this.#list.children[this.#active]?.classList.remove("active");
    this.#active = row;
    const option = this.#list.children[row];
    if (option) {
      option.classList.add("active");
      this.input.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    } else {
      this.input.removeAttribute("aria-activedescendant");
    }
  }

  #take(row: number): void {
    const index = this.#found[row];
    if (index === undefined) return;
    this.#value = index;
    this.#close();
    this.input.select();
    this.#onChoose(index);
  }

  #key(event: KeyboardEvent): void {
    // keys of an input method; WebKit sends the Enter that ends a composition after its end, with this code
    if (event.isComposing || event.keyCode === COMPOSING) return;
    const last = this.#found.length - 1;
    const step: Record<string, number> = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: PAGE_ROWS,
      PageUp: -PAGE_ROWS,
    };
    const rows = step[event.key];
    if (rows !== undefined) {
      event.preventDefault();
      if (!this.#isOpen) {
        this.#open("");
        return;
      }
      const to = this.#active + rows;
      const around = to < 0 ? last : 0;
      const single = Math.abs(rows) === 1;
      this.#activate(to >= 0 && to <= last ? to : single ? around : to < 0 ? 0 : last);
    } else if (event.key === "Enter") {
      // Enter here must not submit the form
      event.preventDefault();
      if (this.#isOpen) this.#take(this.#active);
    } else if (event.key === "Escape" && this.#isOpen) {
      event.preventDefault();
      this.#close();
      this.input.select();
    }
  }

  /** Below the field, or above if there is more room. */
  #place(): void {
    const field = this.input.getBoundingClientRect();
    const below = innerHeight - field.bottom - 2 * GAP;
    const above = field.top - 2 * GAP;
    const under = below >= ENOUGH_HEIGHT || below >= above;
    const height = Math.max(0, Math.min(MOST_HEIGHT, under ? below : above));
    const { style } = this.#popup;
    style.setProperty("left", `${field.left}px`);
    style.setProperty("width", `${field.width}px`);
    style.setProperty("max-height", `${height}px`);
    style.setProperty("top", under ? `${field.bottom + GAP}px` : "auto");
    style.setProperty("bottom", under ? "auto" : `${innerHeight - field.top + GAP}px`);
  }
}
