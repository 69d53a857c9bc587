/** Recipes that are known to learn. */

import type { TrainingData, TrainRecipe } from "./train-api.js";

export interface Preset {
  id: string;
  name: string;
  about: string;
  resolution: TrainingData["resolution"];
  /** Classes that it was tried with. */
  classes: number;
  recipe: TrainRecipe;
}

const BASE: TrainRecipe = {
  width: 8,
  zDim: 60,
  batchSize: 32,
  rateG: 1e-3,
  rateD: 1e-3,
  dSteps: 1,
  orthogonal: 1e-4,
  emaDecay: 0.99,
  emaStart: 0,
  augment: [],
  attention: false,
  seed: 1,
};

export const PRESETS: Preset[] = [
  {
    id: "quick-16",
    name: "Quick, 16 pixels",
    about: "Two or three classes on a laptop without a GPU",
    resolution: 16,
    classes: 2,
    recipe: BASE,
  },
];
