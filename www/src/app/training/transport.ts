/** The buttons that control a run, and the numbers that show its progress. */

import { element } from "../element.js";
import type { TrainerState, Which } from "./package.js";
import type { Mode } from "./session.js";

export interface TransportEvents {
  onPlay(): void;
  onPause(): void;
  onStep(which: Which): void;
  onReset(): void;
  onSlow(slow: boolean): void;
}

const STEPS: [string, Which][] = [
  ["step-d", "d"],
  ["step-g", "g"],
  ["step-both", "both"],
];

export class Transport {
  readonly #play = element("play", HTMLButtonElement);
  readonly #slow = element("slow", HTMLButtonElement);
  readonly #reset = element("reset", HTMLButtonElement);
  readonly #steps = STEPS.map(([id]) => element(id, HTMLButtonElement));
  readonly #counts = element("counts", HTMLDListElement);
  #mode: Mode = "none";

  constructor(events: TransportEvents) {
    const onClick = (button: HTMLButtonElement | undefined, act: () => void) =>
      button?.addEventListener("click", () => {
        if (button.ariaDisabled !== "true") act();
      });
    onClick(this.#play, () => (this.#mode === "playing" ? events.onPause() : events.onPlay()));
    onClick(this.#reset, () => events.onReset());
    STEPS.forEach(([, which], index) => onClick(this.#steps[index], () => events.onStep(which)));
    this.#slow.addEventListener("click", () => {
      const slow = this.#slow.ariaPressed !== "true";
      this.#slow.ariaPressed = String(slow);
      events.onSlow(slow);
    });
    this.showMode("none", false);
    this.showState(undefined, undefined);
  }

  /** `ready`: there are data and a recipe to start with. */
  showMode(mode: Mode, ready: boolean): void {
    this.#mode = mode;
    const playing = mode === "playing";
    this.#play.querySelector("span")?.replaceChildren(playing ? "Pause" : "Play");
    this.#play.classList.toggle("playing", playing);
    const busy = mode === "preparing" || mode === "stepping";
    const canBegin = (mode === "none" || mode === "failed") && ready;
    enable(this.#play, playing || mode === "paused" || canBegin, busy);
    for (const step of this.#steps) enable(step, mode === "paused" || canBegin, busy);
    enable(this.#reset, mode !== "none" && ready, busy);
  }

  /** `speed`: images per second. */
  showState(state: TrainerState | undefined, speed: number | undefined): void {
    const whole = (value: number | undefined) => (value === undefined ? "–" : value.toLocaleString("en"));
    const facts: [string, string][] = [
      ["steps of G", whole(state?.gStep)],
      ["steps of D", whole(state?.dStep)],
      ["images seen", whole(state?.imagesSeen)],
      ["images/s", whole(speed === undefined ? speed : Math.round(speed))],
    ];
    facts.forEach(([term, value], index) => {
      const pair = this.#counts.children[index] ?? this.#counts.appendChild(pairOf(term));
      const shown = pair.querySelector("dd");
      if (shown && shown.textContent !== value) shown.textContent = value;
    });
  }
}

function pairOf(term: string): HTMLElement {
  const pair = document.createElement("div");
  const name = document.createElement("dt");
  name.textContent = term;
  pair.append(name, document.createElement("dd"));
  return pair;
}

/** A busy button keeps the focus, which a disabled button would lose. */
function enable(button: HTMLButtonElement, enabled: boolean, busy: boolean): void {
  button.disabled = !enabled && !busy;
  button.ariaDisabled = String(busy);
}
