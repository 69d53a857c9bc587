/** The curves of a run, drawn live with uPlot. */

import "./language-tag.js";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { averageOf, type CurveLog } from "./curve-log.js";

/** Charts are redrawn at most this often, in milliseconds. */
const REDRAW_MS = 250;
const HEIGHT = 168;

/** The horizontal axis spans at least this many steps. */
const LEAST_ACROSS = 10;
/** The vertical axis spans at least this share of the largest value, or of 1. */
const LEAST_SPAN = 0.1;
/** It covers all values except this share at either end (isolated spikes), with this much margin. */
const SPIKES = 0.02;
const MARGIN = 0.15;
/** Opacity of measured values under their average. */
const FAINT = 0.35;

/** A line of a chart: its name in the log, its label, a colour of the style sheet. */
export interface Line {
  series: string;
  label: string;
  /** A custom property, e.g. `--curve-1`. */
  colour: string;
}

export interface ChartOptions {
  title: string;
  /** Draws moving averages, with the measured values faint under them: for what is as noisy as its batches. */
  averaged?: boolean;
  /** The page shows the number elsewhere, as a whole one: here it is only said. */
  elsewhere?: boolean;
}

/** A chart in the page: a canvas, with values and a summary as text. */
export class Chart {
  readonly #figure: HTMLElement;
  readonly #title: string;
  readonly #averaged: boolean;
  readonly #elsewhere: boolean;
  #lines: readonly Line[] = [];
  #range: [number, number] = [0, 1];
  #plot: uPlot | undefined;

  constructor(figure: HTMLElement, { title, averaged = false, elsewhere = false }: ChartOptions) {
    this.#figure = figure;
    this.#title = title;
    this.#averaged = averaged;
    this.#elsewhere = elsewhere;
    const caption = document.createElement("figcaption");
    const head = document.createElement("span");
    head.textContent = title;
    const legend = document.createElement("span");
    legend.className = "legend";
    caption.append(head, legend);
    const frame = document.createElement("div");
    frame.className = "plot";
    frame.setAttribute("role", "img");
    frame.setAttribute("aria-label", `${title}: nothing yet`);
    figure.append(caption, frame);
    new ResizeObserver(() => this.#fit()).observe(frame);
  }

  /** Sets the lines. */
  setLines(lines: readonly Line[]): void {
    if (JSON.stringify(lines) === JSON.stringify(this.#lines)) return;
    this.#lines = lines;
    this.recolour();
    if (this.#elsewhere) return;
    this.#legend.replaceChildren(
      ...lines.map(({ label, colour }) => {
        const item = document.createElement("span");
        const mark = document.createElement("i");
        mark.style.background = `var(${colour})`;
        const value = document.createElement("b");
        item.append(mark, label, value);
        return item;
      }),
    );
  }

  /** The next drawing reads the colours again. */
  recolour(): void {
    this.#plot?.destroy();
    this.#plot = undefined;
  }

  draw(log: CurveLog): void {
    const [at, ...values] = log.columns(this.#lines.map(({ series }) => series));
    const averages = this.#averaged ? values.map(averageOf) : [];
    const columns: uPlot.AlignedData = [at, ...values, ...averages];
    this.#range = rangeOf((this.#averaged ? averages : values).flat());
    if (this.#plot) this.#plot.setData(columns);
    else this.#make(columns);
    const newest = this.#lines.map(({ label, series }, index) => {
      const average = averages[index]?.findLast((value) => value !== null);
      const value = average ?? log.lastOf(series);
      return { label, text: value === undefined ? "–" : textOf(value, this.#elsewhere ? 0 : 2) };
    });
    this.#legend.querySelectorAll("b").forEach((mark, index) => (mark.textContent = newest[index]?.text ?? ""));
    const said = newest.map(({ label, text }) => `${label} ${text}`.trim()).join(", ");
    this.#frame.setAttribute("aria-label", `${this.#title}: ${log.last ? said : "nothing yet"}`);
  }

  get #legend(): HTMLElement {
    return this.#figure.querySelector<HTMLElement>(".legend") as HTMLElement;
  }

  get #frame(): HTMLElement {
    return this.#figure.querySelector<HTMLElement>(".plot") as HTMLElement;
  }

  #make(columns: uPlot.AlignedData): void {
    const width = this.#frame.clientWidth;
    if (width === 0) return;
    const style = getComputedStyle(this.#figure);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    const axis: uPlot.Axis = {
      stroke: colour("--axis"),
      font: `11px ${style.fontFamily}`,
      // uPlot's own are of the browser's language; the page is in English
      values: (_, splits) => splits.map((split) => split.toLocaleString("en")),
      grid: { stroke: colour("--axis-line"), width: 1 },
      ticks: { stroke: colour("--axis-line"), width: 1, size: 4 },
    };
    const series = (line: Line, alpha: number): uPlot.Series => ({
      stroke: colour(line.colour),
      width: 1.75,
      alpha,
      points: { show: false },
      spanGaps: true,
    });
    const averages = this.#averaged ? this.#lines.map((line) => series(line, 1)) : [];
    this.#plot = new uPlot(
      {
        width,
        height: HEIGHT,
        padding: [8, 16, 0, 0],
        legend: { show: false },
        cursor: { drag: { x: false, y: false }, y: false, points: { show: false } },
        scales: {
          x: { time: false, range: (_, min, max) => [min ?? 0, Math.max(max ?? 0, (min ?? 0) + LEAST_ACROSS)] },
          y: { range: () => this.#range },
        },
        axes: [
          { ...axis, size: 26, space: 60 },
          { ...axis, size: 46, space: 32 },
        ],
        series: [{}, ...this.#lines.map((line) => series(line, this.#averaged ? FAINT : 1)), ...averages],
      },
      columns,
      this.#frame,
    );
  }

  #fit(): void {
    const width = this.#frame.clientWidth;
    if (this.#plot && width > 0 && width !== this.#plot.width) this.#plot.setSize({ width, height: HEIGHT });
  }
}

function textOf(value: number, most: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : most;
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return value.toLocaleString("en", options).replace("-", "−");
}

/**
 * A range with margin around the values except spikes, since a single spike would flatten the rest. Equal values, such as
 * the singular values of orthogonal weights at the start, get a margin too.
 */
function rangeOf(values: readonly (number | null)[]): [number, number] {
  const sorted = values.filter((value) => value !== null).sort((a, b) => a - b);
  const spikes = Math.floor(SPIKES * sorted.length);
  const [min, max] = [sorted[spikes] ?? 0, sorted.at(-1 - spikes) ?? 0];
  const span = Math.max(max - min, LEAST_SPAN * Math.max(1, Math.abs(max)));
  const middle = (min + max) / 2;
  return [middle - span * (0.5 + MARGIN), middle + span * (0.5 + MARGIN)];
}

/** Draws one chart per frame, at a limited rate. */
export class Redraws {
  readonly #draws: (() => void)[];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(draws: (() => void)[]) {
    this.#draws = draws;
  }

  ask(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.now();
    }, REDRAW_MS);
  }

  now(): void {
    const next = (index: number): void => {
      const draw = this.#draws[index];
      if (!draw) return;
      draw();
      requestAnimationFrame(() => next(index + 1));
    };
    requestAnimationFrame(() => next(0));
  }
}
