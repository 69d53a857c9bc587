/** The offered models as a list: what each would cost is said before it is fetched. */

import { element } from "../element.js";
import { type Offer, OFFERS, OWN } from "./offers.js";
import { addressOf, type Source } from "./source.js";

export class OfferList {
  readonly #buttons: HTMLButtonElement[];

  constructor(onSource: (source: Source) => void) {
    const rows = OFFERS.map((offer) => rowOf(offer, () => onSource(sourceOf(offer))));
    this.#buttons = rows.map(({ button }) => button);
    element("offers", HTMLUListElement).replaceChildren(...rows.map(({ row }) => row));
    this.used = undefined;
  }

  /** The model that is in use. */
  set used(source: Source | undefined) {
    const address = source && addressOf(source);
    OFFERS.forEach((offer, index) => {
      const used = address === addressOf(sourceOf(offer));
      const button = this.#buttons[index];
      if (!button) return;
      // not disabled, which would take the focus from it
      button.setAttribute("aria-disabled", String(used));
      button.textContent = used ? "In use" : "Load";
      button.setAttribute("aria-label", used ? `${offer.name} is in use` : `Load ${offer.name}`);
    });
  }
}

const sourceOf = (offer: Offer): Source =>
  offer === OWN ? { kind: "shipped" } : { kind: "address", address: offer.address };

function rowOf(offer: Offer, onLoad: () => void) {
  const row = document.createElement("li");
  const name = document.createElement("h3");
  name.textContent = offer.name;
  const facts = document.createElement("p");
  facts.textContent = factsOf(offer).join(", ");
  const description = document.createElement("p");
  description.className = "hint";
  description.textContent = offer.description ?? "";
  const button = document.createElement("button");
  button.type = "button";
  button.addEventListener("click", () => {
    if (button.getAttribute("aria-disabled") !== "true") onLoad();
  });
  row.append(name, button, facts, description);
  return { row, button };
}

function factsOf({ classes, resolution, bytes, licence, address }: Offer): string[] {
  const url = new URL(address);
  const host = url.protocol === "hf:" ? "huggingface.co" : url.host;
  const size = bytes === undefined ? [] : [`${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`];
  return [
    ...(classes === undefined ? [] : [`${classes.toLocaleString("en")} classes`]),
    ...(resolution === undefined ? [] : [`${resolution}×${resolution}`]),
    ...(host === location.host ? size : [[...size, `from ${host}`].join(" ")]),
    ...(licence === undefined ? [] : [`licence: ${licence}`]),
  ];
}
