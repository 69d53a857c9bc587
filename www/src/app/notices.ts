/** Messages at the top of the page that need no answer and can be dismissed. */

import { element } from "./element.js";

const list = element("notices", HTMLDivElement);

export interface Action {
  label: string;
  run(): void;
}

/** Shows a message, replacing an earlier one of the same kind. */
export function notify(kind: string, text: string, action?: Action): void {
  dismiss(kind);
  const notice = document.createElement("div");
  notice.className = "notice";
  notice.dataset["kind"] = kind;
  const words = document.createElement("p");
  words.textContent = text;
  notice.append(words);
  if (action) notice.append(button(action.label, action.run));
  notice.append(button("Dismiss", () => notice.remove()));
  list.append(notice);
}

export function dismiss(kind: string): void {
  for (const notice of list.querySelectorAll<HTMLElement>(".notice")) {
    if (notice.dataset["kind"] === kind) notice.remove();
  }
}

function button(label: string, run: () => void): HTMLButtonElement {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = label;
  made.addEventListener("click", run);
  return made;
}
