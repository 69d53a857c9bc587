/**
 * `<biggan-sampler src class seed truncation count>`: samples of a model on any page. Importing this defines
 * the element if custom elements exist, and does nothing on a server.
 */

import { abortable } from "./base/abort.js";
import type { Seed } from "./base/api.js";
import type {
  Generator,
  GeneratorInfo,
  GeneratorOptions,
  LoadProgress,
  Sample,
  SampleRequest,
  Samples,
  Truncation,
} from "./sample/api.js";
import { classIn } from "./element/class-attribute.js";
import { View } from "./element/view.js";
import { BigGanError, messageOf } from "./base/errors.js";
import { type Lease, lease } from "./element/shared.js";
import { fileOf } from "./base/image-file.js";
import { sheetOf } from "./base/sheet.js";

export interface SamplerEventMap {
  load: CustomEvent<GeneratorInfo>;
  progress: CustomEvent<LoadProgress>;
  sample: CustomEvent<Samples>;
  error: CustomEvent<BigGanError>;
}

/** The attributes, for programs that write markup as JSX or in templates. */
export interface SamplerAttributes {
  src?: string;
  label?: string | number;
  class?: string;
  seed?: Seed | string;
  truncation?: number | "off" | null;
  count?: number | string;
  loading?: "lazy" | "eager";
  controls?: boolean;
  backend?: NonNullable<GeneratorOptions["backend"]>;
  sha256?: string;
}

const ATTRIBUTES = [
  // which generator
  ...["src", "sha256", "backend"],
  // what it draws
  ...["class", "label", "seed", "truncation", "count"],
  ...["loading", "controls"],
];
/** How far below the viewport an element starts to load. */
const MARGIN = "200px";

// on a server there are no elements to extend
const Base = (globalThis.HTMLElement ?? class {}) as typeof HTMLElement;

export class BigGanSampler extends Base {
  static readonly observedAttributes = ATTRIBUTES;

  /** Starts the package's worker for a page of another origin; see `GeneratorOptions.worker`. */
  static worker: GeneratorOptions["worker"];

  readonly #view: View;
  #sight: IntersectionObserver | undefined;
  /** Whether it has ever been near the viewport, or is eager. */
  #seen = false;
  /** The same, while it is on the page. */
  #begun = false;
  #source: { key: string; lease: Lease } | undefined;
  #drawing: AbortController | undefined;
  #update: Promise<void> | undefined;
  #generator: Generator | undefined;
  /** The class that was last asked of the generator. */
  #asked: string | undefined;
  #samples: Samples | undefined;
  /** Why there are none. */
  #failure: unknown;

  constructor() {
    super();
    this.#view = new View(this.attachShadow({ mode: "open" }), {
      another: () => {
        this.seed = Math.floor(Math.random() * 2 ** 32);
      },
      save: () => void this.#save(),
    });
  }

  get src(): string {
    return this.getAttribute("src") ?? "";
  }
  set src(value: string) {
    this.setAttribute("src", value);
  }

  /** SHA-256 that the model must have, in hex. */
  get sha256(): string {
    return this.getAttribute("sha256") ?? "";
  }
  set sha256(value: string) {
    this.#reflect("sha256", value);
  }

  get backend(): NonNullable<GeneratorOptions["backend"]> {
    return (this.getAttribute("backend") ?? "auto") as "auto";
  }
  set backend(value: NonNullable<GeneratorOptions["backend"]>) {
    this.setAttribute("backend", value);
  }

  /** What is drawn: a name, a number, an id, or a list, as after `native-train sample --class`; default the first class. */
  get label(): string {
    return this.getAttribute("label") ?? "";
  }
  set label(value: string | number) {
    this.#reflect("label", value);
  }

  /** The same without a label, where the attribute names a class of the model; names of styles may stand in it too. */
  get class(): string {
    return this.getAttribute("class") ?? "";
  }
  set class(value: string | number) {
    this.setAttribute("class", String(value));
  }

  get seed(): Seed {
    const text = this.getAttribute("seed") ?? "0";
    const seed = Number(text);
    return seed > Number.MAX_SAFE_INTEGER && /^\d+$/.test(text) ? BigInt(text) : seed;
  }
  set seed(value: Seed) {
    this.setAttribute("seed", String(value));
  }

  /** `null` (no attribute, or `off`) is off. */
  get truncation(): Truncation {
    const text = this.getAttribute("truncation") ?? "off";
    return text === "off" || text === "" ? null : Number(text);
  }
  set truncation(value: Truncation) {
    this.#reflect("truncation", value);
  }

  get count(): number {
    return Number(this.getAttribute("count") ?? 1);
  }
  set count(value: number) {
    this.setAttribute("count", String(value));
  }

  /** `lazy` (the default) waits until the element is near the viewport. */
  get loading(): "lazy" | "eager" {
    return this.getAttribute("loading") === "eager" ? "eager" : "lazy";
  }
  set loading(value: "lazy" | "eager") {
    this.setAttribute("loading", value);
  }

  /** Buttons for another seed and for saving. */
  get controls(): boolean {
    return this.hasAttribute("controls");
  }
  set controls(value: boolean) {
    this.toggleAttribute("controls", value);
  }

  /** The generator, once it is loaded; shared with other elements of the same model. */
  get generator(): Generator | undefined {
    return this.#generator;
  }

  /** The displayed pictures. */
  get samples(): Samples | undefined {
    return this.#samples;
  }

  /** A sheet of all pictures, once they are drawn. */
  async toBlob(type = "image/png", quality?: number): Promise<Blob> {
    let update: Promise<void> | undefined;
    while (update !== this.#update) await (update = this.#update);
    if (this.#failure) throw this.#failure;
    if (!this.#samples) {
      throw new BigGanError(
        "bad-request",
        "the element has no pictures; wait for its event sample",
      );
    }
    return fileOf(sheetOf(this.#samples.samples.map(({ image }) => image)), type, quality);
  }

  connectedCallback(): void {
    this.#view.dress();
    // properties set before the element was defined hide the accessors
    for (const name of BigGanSampler.observedAttributes) this.#adopt(name as "src");
    // an element that is moved reconnects before its generator is disposed of
    if (this.loading === "eager" || this.#seen) this.#begin();
    else this.#watch();
  }

  disconnectedCallback(): void {
    this.#sight?.disconnect();
    this.#begun = false;
    this.#drawing?.abort();
    this.#release();
  }

  attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    if (before === after) return;
    if (name === "controls") this.#view.controls = this.controls;
    else if (name === "class" && this.#asked !== undefined && this.#asked === this.#named()) return;
    else if (name !== "loading") this.#schedule();
    else if (this.loading === "eager" && this.isConnected && !this.#begun) this.#begin();
  }

  #adopt(name: "src"): void {
    if (!Object.hasOwn(this, name)) return;
    const value = this[name];
    delete (this as Partial<this>)[name];
    this[name] = value;
  }

  #watch(): void {
    this.#sight = new IntersectionObserver(
      (entries) => {
        if (entries.some(({ isIntersecting }) => isIntersecting)) this.#begin();
      },
      { rootMargin: MARGIN },
    );
    this.#sight.observe(this);
  }

  #begin(): void {
    this.#sight?.disconnect();
    this.#seen = true;
    this.#begun = true;
    this.#schedule();
  }

  /** Redraws, once for all changes in the current task. */
  #schedule(): void {
    if (!this.#begun) return;
    this.#drawing?.abort();
    if (!this.src) return this.#empty();
    const { signal } = (this.#drawing = new AbortController());
    this.#update = Promise.resolve().then(() => this.#draw(signal));
  }

  async #draw(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    this.#view.busy();
    try {
      const generator = await abortable(this.#lease().generator, signal);
      if (generator !== this.#generator) {
        this.#generator = generator;
        this.#tell("load", generator.info);
      }
      const samples = await generator.sample({ ...this.#request(), signal });
      this.#samples = samples;
      this.#failure = undefined;
      this.#view.samples(samples.samples, (sample) => describe(sample, generator.info));
      this.#tell("sample", samples);
    } catch (error) {
      if (signal.aborted) return;
      // the next change requests the model again
      if (!this.#generator) this.#release();
      this.#samples = undefined;
      this.#failure = error;
      this.#view.empty();
      this.#say(error);
    }
  }

  #say(error: unknown): void {
    this.#view.error(messageOf(error));
    this.#tell("error", error);
  }

  /** Without a model there is nothing to show. */
  #empty(): void {
    this.#release();
    this.#samples = this.#failure = this.#update = undefined;
    this.#view.empty();
  }

  #request(): SampleRequest {
    const { seed, count, truncation } = this;
    this.#asked = this.#named();
    return { class: this.#asked || 0, seed, count, truncation };
  }

  /** The text of the class to draw, which is empty for the first; unknown before the model is. */
  #named(): string | undefined {
    const model = this.#generator?.info.model;
    return model && (this.label || (classIn(this.class, model) ?? ""));
  }

  /** Switches to the generator of the attributes. */
  #lease(): Lease {
    const { src, sha256, backend } = this;
    const key = JSON.stringify([src, sha256, backend]);
    if (this.#source?.key !== key) {
      this.#release();
      const options = {
        model: src,
        backend,
        ...(sha256 && { sha256 }),
        ...(BigGanSampler.worker && { worker: BigGanSampler.worker }),
      };
      this.#source = { key, lease: lease(options, this.#onProgress) };
    }
    return this.#source.lease;
  }

  #release(): void {
    this.#source?.lease.release();
    this.#source = undefined;
    this.#generator = undefined;
    this.#asked = undefined;
  }

  readonly #onProgress = (progress: LoadProgress): void => {
    if (progress.phase === "download") this.#view.progress(progress.received, progress.total);
    this.#tell("progress", progress);
  };

  #tell(name: keyof SamplerEventMap, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  /** Null removes the attribute. */
  #reflect(name: string, value: string | number | null): void {
    if (value === null || value === "") this.removeAttribute(name);
    else this.setAttribute(name, String(value));
  }

  async #save(): Promise<void> {
    try {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(await this.toBlob());
      link.download = `biggan-seed-${this.seed}.png`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href));
    } catch (error) {
      // what was not drawn has been said
      if (error !== this.#failure) this.#say(error);
    }
  }
}

function describe({ picture, truncation }: Sample, { model }: GeneratorInfo): string {
  const { classes, z } = picture.from;
  const name = model.classNames[classes[0]!.class];
  return `${name}, seed ${z.seed}, truncation ${truncation ?? "off"}`;
}

export interface BigGanSampler {
  addEventListener<K extends keyof SamplerEventMap>(
    type: K,
    listener: (this: BigGanSampler, event: SamplerEventMap[K]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void;
}

declare global {
  interface HTMLElementTagNameMap {
    "biggan-sampler": BigGanSampler;
  }
}

if (globalThis.customElements && !customElements.get("biggan-sampler")) {
  customElements.define("biggan-sampler", BigGanSampler);
}
