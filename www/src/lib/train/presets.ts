/** Recipes that are known to learn; docs/training-in-the-browser.md has their results. */

import type { TrainingData, TrainRecipe } from "./api.js";

export interface Preset {
  id: string;
  name: string;
  about: string;
  resolution: TrainingData["resolution"];
  /** With how many classes it was tested; all: those of the sets that ship. */
  classes: number | "all";
  recipe: TrainRecipe;
}

/**
 * Batches are small and runs short, so both rates are 1e-3, five times those of BigGAN-PyTorch's CIFAR recipe, and
 * the average forgets within hundreds of steps.
 */
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

/** The first is the default. Times are for one core of a laptop or server, without a GPU. */
export const PRESETS: Preset[] = [
  {
    id: "two-16",
    name: "Two classes, 16 pixels",
    about: "Shapes within 200 steps: 15 seconds at 70 ms per step.",
    resolution: 16,
    classes: 2,
    recipe: BASE,
  },
  {
    id: "all-16",
    name: "All classes, 16 pixels",
    about: "All of the shipped classes within 1,500 steps: two minutes at 70 ms per step.",
    resolution: 16,
    classes: "all",
    recipe: BASE,
  },
  {
    id: "gentle-16",
    name: "Gentle, 16 pixels",
    about: "Half as wide, for phones: two classes within 400 steps of 20 ms.",
    resolution: 16,
    classes: 2,
    recipe: { ...BASE, width: 4, batchSize: 16 },
  },
  {
    id: "all-32",
    name: "All classes, 32 pixels",
    about: "All of the shipped classes within 1,500 steps: four minutes at 130 ms per step.",
    resolution: 32,
    classes: "all",
    recipe: { ...BASE, width: 6, batchSize: 24 },
  },
  {
    id: "own-64",
    name: "Your pictures, 64 pixels",
    about: "A few hundred pictures, augmented, within 1,000 steps: two minutes at 90 ms per step.",
    resolution: 64,
    classes: 2,
    recipe: { ...BASE, width: 3, batchSize: 16, augment: ["color", "translation"] },
  },
];
