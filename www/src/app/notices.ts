/** Messages and questions at the top of the page. */

import { element } from "./element.js";

const list = element("notices", HTMLDivElement);

export interface Action {
  label: string;
  run(): void;
}

/** Shows a message, replacing an earlier one of the same kind. */
export function notify(kind: string, text: string, action?: Action): void {
  const dismissal = { label: "Dismiss", run: () => dismiss(kind) };
  show(kind, text, action ? [action, dismissal] : [dismissal]);
}

/** Asks a question; when the signal is aborted, it is withdrawn and the answer is no. */
export function ask(text: string, yes: string, no: string, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const answer = (agreed: boolean) => () => {
      dismiss("question");
      resolve(agreed);
    };
    if (signal.aborted) return resolve(false);
    signal.addEventListener("abort", answer(false), { once: true });
    const notice = show("question", text, [
      { label: yes, run: answer(true) },
      { label: no, run: answer(false) },
    ]);
    // nothing goes on until it is answered
    notice.scrollIntoView({ block: "nearest" });
  });
}

function show(kind: string, text: string, actions: Action[]): HTMLElement {
  dismiss(kind);
  const notice = document.createElement("div");
  notice.className = "notice";
  notice.dataset["kind"] = kind;
  const words = document.createElement("p");
  words.textContent = text;
  notice.append(words, ...actions.map(({ label, run }) => button(label, run)));
  list.append(notice);
  return notice;
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
