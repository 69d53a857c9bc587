/** Curves of a run of any length in bounded memory: when the log is full, pairs of points are merged. */

/** Most points of a log: more than the pixels of a chart can resolve. */
export const MAX_POINTS = 600;

/** An entry of a log: a position on the axis, and values by series; unmeasured values are left out. */
export interface CurvePoint {
  at: number;
  values: Record<string, number>;
}

/** The stored form of a log: columns, since names would be most of the text. */
export interface SavedCurves {
  stride: number;
  at: number[];
  series: Record<string, (number | null)[]>;
}

/** Significant digits that are stored: more than a chart shows. */
const DIGITS = 5;

/** Sums of the points being merged. */
interface Gathered {
  at: number;
  taken: number;
  sums: Map<string, { sum: number; count: number }>;
}

export class CurveLog {
  #points: CurvePoint[] = [];
  /** Points that are merged into one. */
  #stride = 1;
  #gathered: Gathered | null = null;
  /** The newest values, before they are merged. */
  #newest: Record<string, number> = {};

  add(point: CurvePoint): void {
    Object.assign(this.#newest, point.values);
    const gathered = (this.#gathered ??= nothing());
    gather(gathered, point);
    if (gathered.taken < this.#stride) return;
    this.#points.push(meanOf(gathered));
    this.#gathered = null;
    if (this.#points.length >= MAX_POINTS) this.#thin();
  }

  /** Forgets everything after a position: training went back. */
  cutAfter(at: number): void {
    this.#points = this.#points.filter((point) => point.at <= at);
    this.#gathered = null;
    this.#newest = {};
  }

  clear(): void {
    this.#points = [];
    this.#stride = 1;
    this.#gathered = null;
    this.#newest = {};
  }

  get last(): CurvePoint | undefined {
    return this.#points.at(-1);
  }

  /** The newest value of a series. */
  lastOf(series: string): number | undefined {
    return this.#newest[series] ?? this.#points.findLast(({ values }) => values[series] !== undefined)?.values[series];
  }

  /** Columns for a chart: the positions, and each series with `null` where it was not measured. */
  columns(series: readonly string[]): [number[], ...(number | null)[][]] {
    return [
      this.#points.map(({ at }) => at),
      ...series.map((name) => this.#points.map(({ values }) => values[name] ?? null)),
    ];
  }

  save(): SavedCurves {
    const names = [...new Set(this.#points.flatMap(({ values }) => Object.keys(values)))];
    const [at, ...columns] = this.columns(names);
    const short = (value: number | null) => (value === null ? null : Number(value.toPrecision(DIGITS)));
    return {
      stride: this.#stride,
      at,
      series: Object.fromEntries(names.map((name, index) => [name, (columns[index] ?? []).map(short)])),
    };
  }

  restore({ stride, at, series }: SavedCurves): void {
    this.#stride = Math.max(1, stride);
    this.#points = at.slice(0, MAX_POINTS).map((place, index) => {
      const values = Object.entries(series).map(([name, column]) => [name, column[index] ?? null] as const);
      const measured = values.filter((pair): pair is [string, number] => pair[1] !== null);
      return { at: place, values: Object.fromEntries(measured) };
    });
    this.#gathered = null;
    this.#newest = {};
  }

  #thin(): void {
    const halves: CurvePoint[] = [];
    for (let index = 0; index + 1 < this.#points.length; index += 2) {
      halves.push(joined(this.#points.slice(index, index + 2)));
    }
    this.#points = halves;
    this.#stride *= 2;
  }
}

/** Weight of the newest point in a moving average. */
const NEWEST = 0.1;

/** The exponential moving average of a column. */
export function averageOf(column: readonly (number | null)[]): (number | null)[] {
  let mean: number | undefined;
  return column.map((value) => {
    if (value === null) return null;
    mean = mean === undefined ? value : mean + NEWEST * (value - mean);
    return mean;
  });
}

const nothing = (): Gathered => ({ at: 0, taken: 0, sums: new Map() });

function gather(gathered: Gathered, { at, values }: CurvePoint): void {
  gathered.at = at;
  gathered.taken += 1;
  for (const [series, value] of Object.entries(values)) {
    if (!Number.isFinite(value)) continue;
    const { sum, count } = gathered.sums.get(series) ?? { sum: 0, count: 0 };
    gathered.sums.set(series, { sum: sum + value, count: count + 1 });
  }
}

function joined(points: readonly CurvePoint[]): CurvePoint {
  const gathered = nothing();
  for (const point of points) gather(gathered, point);
  return meanOf(gathered);
}

function meanOf({ at, sums }: Gathered): CurvePoint {
  return { at, values: Object.fromEntries([...sums].map(([name, { sum, count }]) => [name, sum / count])) };
}
