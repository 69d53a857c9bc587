/** The recipe: presets, and individual values. */

import { element } from "../element.js";
import { parseSeed } from "../link.js";
import { type Networks, type Preset, PRESETS, SHIPPED, type TrainingData, type TrainRecipe } from "./package.js";
import { sameRecipe } from "./same-recipe.js";

type NumberKey = "width" | "batchSize" | "rateG" | "rateD" | "dSteps" | "orthogonal" | "emaDecay" | "zDim" | "emaStart";

/** Fields of numbers: the ids of their inputs. */
const NUMBERS: Record<NumberKey, string> = {
  width: "recipe-width",
  batchSize: "recipe-batch",
  rateG: "recipe-rate-g",
  rateD: "recipe-rate-d",
  dSteps: "recipe-d-steps",
  orthogonal: "recipe-orthogonal",
  emaDecay: "recipe-ema",
  zDim: "recipe-z",
  emaStart: "recipe-ema-start",
};
const AUGMENT = ["flip", "color", "translation", "cutout"] as const;

/** What a run takes up in its midst; the rest waits for Reset. */
const LIVE = ["rateG", "rateD", "dSteps", "orthogonal", "augment"] as const;
const LIVE_WORDS = "Values marked live hold at once, also while it trains; the others, and the data, at Reset.";

export interface RecipeEvents {
  /** The current recipe; `null` while a value is invalid. */
  onRecipe(recipe: TrainRecipe | null): void;
  onPreset(preset: Preset): void;
  /** A live value has been given, and the field was left or confirmed. */
  onLive(): void;
}

export class RecipeForm {
  readonly #form = element("recipe", HTMLFormElement);
  readonly #preset = element("recipe-preset", HTMLSelectElement);
  readonly #about = element("recipe-about", HTMLParagraphElement);
  #data: TrainingData | null = null;
  #dictated: Networks["recipe"] | null = null;
  /** Of networks that a run has started from; otherwise the core's. */
  #embedding: number | undefined;
  readonly #seed = element("recipe-seed", HTMLInputElement);
  readonly #live = element("recipe-live", HTMLParagraphElement);
  readonly #attention = element("recipe-attention", HTMLInputElement);
  readonly #augment = AUGMENT.map((name) => element(`recipe-${name}`, HTMLInputElement));
  readonly #numbers = Object.entries(NUMBERS).map(
    ([key, id]) => [key as NumberKey, element(id, HTMLInputElement)] as const,
  );

  constructor(events: RecipeEvents) {
    this.#preset.replaceChildren(...PRESETS.map(({ id, name }) => new Option(name, id)), new Option("Custom", ""));
    this.#preset.addEventListener("change", () => {
      const preset = PRESETS.find(({ id }) => id === this.#preset.value);
      if (!preset) return;
      // other data come with it
      this.#data = null;
      // the seed is the visitor's, not the preset's
      this.show({ ...preset.recipe, seed: this.recipe?.seed ?? preset.recipe.seed });
      events.onPreset(preset);
      events.onRecipe(this.recipe);
    });
    this.#form.addEventListener("submit", (event) => event.preventDefault());
    this.#form.addEventListener("input", (event) => {
      if (event.target === this.#preset) return;
      const seed = this.#readSeed();
      this.#seed.setCustomValidity(seed === null ? "Give a whole number from 0 to 2^64 - 1." : "");
      this.#showPreset(this.recipe);
      if (event.target instanceof HTMLInputElement) event.target.reportValidity();
      events.onRecipe(this.recipe);
    });
    const live = [...this.#numbers.filter(([key]) => LIVE.some((one) => one === key)).map(([, input]) => input), ...this.#augment];
    // not at each key: 0.0005 begins with 0
    this.#form.addEventListener("change", ({ target }) => {
      if (live.some((input) => input === target) && this.recipe) events.onLive();
    });
    this.showHeld(undefined);
  }

  /** `null` while a value is invalid. */
  get recipe(): TrainRecipe | null {
    const seed = this.#readSeed();
    if (seed === null || !this.#form.checkValidity()) return null;
    const numbers = Object.fromEntries(this.#numbers.map(([key, input]) => [key, input.valueAsNumber]));
    return {
      ...(numbers as Record<NumberKey, number>),
      augment: AUGMENT.filter((_, index) => this.#augment[index]?.checked),
      attention: this.#attention.checked,
      seed,
      ...(this.#embedding === undefined ? {} : { embedding: this.#embedding }),
    };
  }

  /** Sets and locks what the networks dictate that the run starts from; with `null`, unlocks it. */
  dictate(recipe: Networks["recipe"] | null): void {
    const had = this.#dictated !== null;
    this.#dictated = recipe;
    const inputs = [...this.#numbers.filter(([key]) => key === "width" || key === "zDim").map(([, input]) => input), this.#attention];
    for (const input of inputs) input.disabled = recipe !== null;
    if (recipe) this.#showDictated(recipe);
    // the embedding goes with the networks that had it
    else if (had) this.#embedding = undefined;
    this.#showPreset(this.recipe);
  }

  #showDictated({ width, zDim, embedding, attention }: Networks["recipe"]): void {
    for (const [key, input] of this.#numbers) {
      if (key === "width") input.value = String(width);
      if (key === "zDim") input.value = String(zDim);
    }
    this.#attention.checked = attention;
    this.#embedding = embedding;
  }

  /** The data of the next run, which decide what a preset promises. */
  showData(data: TrainingData | null): void {
    this.#data = data;
    this.#showPreset(this.recipe);
  }

  show(recipe: TrainRecipe): void {
    for (const [key, input] of this.#numbers) input.value = String(recipe[key]);
    AUGMENT.forEach((name, index) => {
      const input = this.#augment[index];
      if (input) input.checked = recipe.augment.includes(name);
    });
    this.#attention.checked = recipe.attention;
    this.#seed.value = String(recipe.seed);
    this.#seed.setCustomValidity("");
    this.#embedding = recipe.embedding;
    if (this.#dictated) this.#showDictated(this.#dictated);
    this.#showPreset(this.recipe);
  }

  /** From which step of G on the live values hold; `undefined` if none was changed in this run. */
  showHeld(step: number | undefined): void {
    this.#live.textContent = LIVE_WORDS + (step === undefined ? "" : ` The last change holds from step ${step.toLocaleString("en")} of G on.`);
  }

  #showPreset(recipe: TrainRecipe | null): void {
    const fits = (one: Preset) => recipe !== null && sameRecipe({ ...one.recipe, seed: recipe.seed }, recipe);
    // some presets differ only in their data
    const preset =
      PRESETS.find((one) => fits(one) && this.#suits(one)) ??
      PRESETS.find((one) => one.id === this.#preset.value && fits(one)) ??
      PRESETS.find(fits);
    this.#preset.value = preset?.id ?? "";
    this.#about.textContent = preset ? this.#aboutOf(preset) : "Custom values.";
  }

  #aboutOf(preset: Preset): string {
    if (!this.#data || this.#suits(preset)) return preset.about;
    const { classes, resolution } = preset;
    const tried = classes === "all" ? "all shipped classes" : `${classes} classes`;
    return `Tried on ${tried} of ${resolution}×${resolution} pixels: with these data it learns at another pace.`;
  }

  /** Whether the preset was tried on such data. */
  #suits({ classes, resolution }: Preset): boolean {
    if (this.#data?.resolution !== resolution) return false;
    const { name, classNames } = this.#data;
    if (classes !== "all") return classNames.length === classes;
    return SHIPPED.some((set) => set.name === name && set.classNames.length === classNames.length);
  }

  #readSeed(): bigint | null {
    try {
      return parseSeed(this.#seed.value);
    } catch {
      return null;
    }
  }
}

/** The recipe of a run with the live values of another. */
export const withLive = (runs: TrainRecipe, asked: TrainRecipe): TrainRecipe => ({
  ...runs,
  ...Object.fromEntries(LIVE.map((key) => [key, asked[key]])),
});
