/** Real images and fakes, with D's score of each. */

import { element } from "../element.js";
import type { Look, Scored } from "./package.js";
import { put } from "./put.js";

/** Images of each kind. */
export const SCORED = 8;

export class ScoredView {
  readonly #real = element("scored-real", HTMLUListElement);
  readonly #fake = element("scored-fake", HTMLUListElement);
  readonly #words = element("scored-words", HTMLSpanElement);

  clear(): void {
    for (const list of [this.#real, this.#fake]) list.replaceChildren(...Array.from({ length: SCORED }, place));
    this.#words.textContent = "";
  }

  show({ real, fake }: Look, classNames: readonly string[]): void {
    fill(this.#real, real, classNames, "real");
    fill(this.#fake, fake, classNames, "fake");
    const right = [count(real, (score) => score > 0), count(fake, (score) => score <= 0)];
    this.#words.textContent =
      `D is right about ${right[0]} of ${real.length} real images and ${right[1]} of ${fake.length} fakes. ` +
      "A framed fake has fooled it.";
  }
}

const count = (scored: readonly Scored[], test: (score: number) => boolean) =>
  scored.filter(({ score }) => test(score)).length;

/** A new D may be far from 0, and its scores are side by side on a phone. */
const digitsOf = (size: number) => size.toFixed(size < 10 ? 2 : 1);

function place(): HTMLLIElement {
  const item = document.createElement("li");
  const canvas = document.createElement("canvas");
  canvas.className = "enlarged";
  const score = document.createElement("span");
  score.textContent = "–";
  item.append(canvas, score);
  return item;
}

function fill(list: HTMLElement, scored: readonly Scored[], classNames: readonly string[], kind: string): void {
  while (list.children.length < scored.length) list.append(place());
  while (list.children.length > scored.length) list.lastElementChild?.remove();
  scored.forEach(({ image, class: number, score }, index) => {
    const item = list.children[index];
    const canvas = item?.querySelector("canvas");
    const text = item?.querySelector("span");
    if (!item || !canvas || !text) return;
    put(canvas, image);
    const verdict = score > 0 ? "real" : "fake";
    const signed = `${score > 0 ? "+" : score < 0 ? "−" : ""}${digitsOf(Math.abs(score))}`;
    text.textContent = signed;
    item.classList.toggle("fooled", kind === "fake" && score > 0);
    item.classList.toggle("for-real", score > 0);
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `${classNames[number] ?? number}, ${kind}; D says ${verdict}, ${signed}`);
  });
}
