/** The recipe: presets, and individual values. */

import { element } from "../element.js";
import { parseSeed } from "../link.js";
import { type Preset, PRESETS, type TrainRecipe } from "./package.js";

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

export interface RecipeEvents {
  /** The current recipe; `null` while a value is invalid. */
  onRecipe(recipe: TrainRecipe | null): void;
  onPreset(preset: Preset): void;
}

export class RecipeForm {
  readonly #form = element("recipe", HTMLFormElement);
  readonly #preset = element("recipe-preset", HTMLSelectElement);
  readonly #about = element("recipe-about", HTMLParagraphElement);
  readonly #seed = element("recipe-seed", HTMLInputElement);
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
    };
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
    this.#showPreset(recipe);
  }

  #showPreset(recipe: TrainRecipe | null): void {
    const fits = (one: Preset) => recipe !== null && sameRecipe({ ...one.recipe, seed: recipe.seed }, recipe);
    // some presets differ only in their data
    const preset = PRESETS.find((one) => one.id === this.#preset.value && fits(one)) ?? PRESETS.find(fits);
    this.#preset.value = preset?.id ?? "";
    this.#about.textContent = preset?.about ?? "Custom values.";
  }

  #readSeed(): bigint | null {
    try {
      return parseSeed(this.#seed.value);
    } catch {
      return null;
    }
  }
}

/** Whether two recipes give the same run. */
export function sameRecipe(a: TrainRecipe, b: TrainRecipe): boolean {
  return textOf(a) === textOf(b);
}

const textOf = (recipe: TrainRecipe): string =>
  JSON.stringify(
    Object.entries(recipe)
      // a seed may be a number or a bigint
      .map(([key, value]) => [key, key === "seed" ? String(value) : value])
      .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
  );
