/** The curves of a run: the log, and the charts that show it. */

import { element } from "../element.js";
import { Chart, type Line, Redraws } from "./charts.js";
import { CurveLog, type SavedCurves } from "./curve-log.js";
import type { LayerSigma, StepReport } from "./package.js";

/** Layers whose singular values are shown at once: no more lines than distinct colours. */
const MOST_LAYERS = 5;
const COLOURS = ["--curve-1", "--curve-2", "--curve-3", "--curve-4", "--curve-5"];
const SIGMA = "sigma ";
/** Shown at first: the first and last layer of G, whose first shows a collapse, and the first layer of D. */
const FIRST_LAYERS = { g: /^(linear|output_conv)\b/, d: /^blocks\.0\.conv1\b/ };

export interface SavedLogs {
  steps: SavedCurves;
  sigmas: SavedCurves;
}

export class Curves {
  readonly #steps = new CurveLog();
  readonly #sigmas = new CurveLog();
  readonly #losses = new Chart(element("chart-losses", HTMLElement), { title: "Losses", averaged: true });
  readonly #scores = new Chart(element("chart-scores", HTMLElement), { title: "Mean score of D", averaged: true });
  readonly #speed = new Chart(element("chart-speed", HTMLElement), { title: "Images per second", elsewhere: true });
  readonly #spectrum = new Chart(element("chart-sigmas", HTMLElement), { title: "Largest singular values" });
  readonly #layers = element("layers", HTMLDivElement);
  readonly #redraws: Redraws;

  constructor() {
    this.#losses.setLines([line("lossD", "D", 0), line("lossG", "G", 1)]);
    this.#scores.setLines([line("dReal", "real", 0), line("dFake", "fake", 1)]);
    this.#speed.setLines([line("speed", "", 2)]);
    this.#redraws = new Redraws([
      () => this.#losses.draw(this.#steps),
      () => this.#scores.draw(this.#steps),
      () => this.#spectrum.draw(this.#sigmas),
      () => this.#speed.draw(this.#steps),
    ]);
    this.#layers.addEventListener("change", () => {
      this.#showLayers();
      this.#redraws.ask();
    });
    // canvases do not follow the style sheet
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      for (const chart of [this.#losses, this.#scores, this.#spectrum, this.#speed]) chart.recolour();
      this.#redraws.ask();
    });
    this.#redraws.ask();
  }

  add({ lossD, lossG, dReal, dFake }: StepReport, updates: number, imagesPerSecond: number | undefined): void {
    const values = { lossD, lossG, dReal, dFake, speed: imagesPerSecond };
    this.#steps.add({ at: updates, values: measured(values) });
    this.#redraws.ask();
  }

  addSigmas(sigmas: readonly LayerSigma[], updates: number): void {
    this.#offer(sigmas);
    const values = Object.fromEntries(sigmas.map((layer) => [nameOf(layer), layer.sigma]));
    this.#sigmas.add({ at: updates, values });
    this.#redraws.ask();
  }

  cutAfter(updates: number): void {
    for (const log of [this.#steps, this.#sigmas]) log.cutAfter(updates);
    this.#redraws.ask();
  }

  clear(): void {
    for (const log of [this.#steps, this.#sigmas]) log.clear();
    this.#layers.replaceChildren();
    this.#showLayers();
    this.#redraws.ask();
  }

  save(): SavedLogs {
    return { steps: this.#steps.save(), sigmas: this.#sigmas.save() };
  }

  restore({ steps, sigmas }: SavedLogs): void {
    this.#steps.restore(steps);
    this.#sigmas.restore(sigmas);
    this.#redraws.ask();
  }

  /** Checkboxes of the layers, G's before D's. */
  #offer(sigmas: readonly LayerSigma[]): void {
    if (this.#layers.children.length === sigmas.length) return;
    const sorted = [...sigmas].sort((a, b) => b.network.localeCompare(a.network));
    this.#layers.replaceChildren(
      ...sorted.map((layer) => {
        const label = document.createElement("label");
        label.className = "check";
        const input = document.createElement("input");
        input.type = "checkbox";
        input.value = nameOf(layer);
        input.checked = FIRST_LAYERS[layer.network].test(layer.layer);
        label.append(input, input.value.slice(SIGMA.length));
        return label;
      }),
    );
    this.#showLayers();
  }

  #showLayers(): void {
    const boxes = [...this.#layers.querySelectorAll("input")];
    const chosen = boxes.filter(({ checked }) => checked);
    for (const box of boxes) box.disabled = !box.checked && chosen.length >= MOST_LAYERS;
    this.#spectrum.setLines(chosen.map(({ value }, index) => line(value, value.slice(SIGMA.length), index)));
  }
}

const nameOf = ({ network, layer }: LayerSigma) =>
  `${SIGMA}${network.toUpperCase()} ${layer.replace(/\.weight$/, "")}`;

const line = (series: string, label: string, colour: number): Line => ({
  series,
  label,
  colour: COLOURS[colour] ?? "--curve-1",
});

const measured = (values: Record<string, number | undefined>): Record<string, number> =>
  Object.fromEntries(Object.entries(values).filter((pair): pair is [string, number] => pair[1] !== undefined));
