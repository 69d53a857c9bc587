/** The views as tabs (ARIA Authoring Practices, "Tabs"). */

import { element } from "./element.js";
import { type View, VIEWS } from "./state.js";

export class Tabs {
  readonly #tabs = VIEWS.map((view) => element(`tab-${view}`, HTMLButtonElement));
  readonly #panels = VIEWS.map((view) => element(`panel-${view}`, HTMLDivElement));

  constructor(onChoose: (view: View) => void) {
    this.#tabs.forEach((tab, index) => {
      tab.addEventListener("click", () => onChoose(VIEWS[index] ?? "samples"));
      tab.addEventListener("keydown", (event) => {
        const last = VIEWS.length - 1;
        const to: Record<string, number> = {
          ArrowLeft: index === 0 ? last : index - 1,
          ArrowRight: index === last ? 0 : index + 1,
          Home: 0,
          End: last,
        };
        const next = to[event.key];
        if (next === undefined) return;
        event.preventDefault();
        this.#tabs[next]?.focus();
        onChoose(VIEWS[next] ?? "samples");
      });
    });
  }

  show(view: View): void {
    VIEWS.forEach((name, index) => {
      const chosen = name === view;
      this.#tabs[index]?.setAttribute("aria-selected", String(chosen));
      this.#tabs[index]?.setAttribute("tabindex", chosen ? "0" : "-1");
      const panel = this.#panels[index];
      if (panel) panel.hidden = !chosen;
    });
  }
}
