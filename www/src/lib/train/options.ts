/** Options of a trainer, checked; the recipe itself is the core's to judge. */

import { checkEngineOptions, refuse } from "../base/options.js";
import type { TrainerOptions } from "./api.js";

/** Sides of images that a browser trains. */
export const RESOLUTIONS = [16, 32, 64] as const;

export function checkTrainerOptions(options: TrainerOptions): void {
  const { data, recipe, checkpoint, networks } = options;
  if (!data || !recipe) refuse(data ? "recipe" : "data", "nothing", "both");
  checkEngineOptions(options);
  if (checkpoint !== undefined && !(checkpoint instanceof Blob)) {
    refuse("checkpoint", checkpoint, "a Blob of `save`");
  }
  if (networks !== undefined && !(networks instanceof Blob)) {
    refuse("networks", networks, "a Blob of `exportModel` or `save`");
  }
  const bad = (field: string, found: unknown, remedy: string) =>
    refuse(`data.${field}`, found, remedy, "bad-data");
  const { resolution, classNames, labels, pixels } = data;
  if (!RESOLUTIONS.some((one) => one === resolution)) bad("resolution", resolution, "16, 32 or 64");
  if (labels.length === 0) bad("labels.length", 0, "at least one image");
  if (classNames.length === 0) bad("classNames.length", 0, "at least one class");
  const bytes = labels.length * resolution ** 2 * 3;
  if (pixels.length !== bytes) bad("pixels.length", pixels.length, `${bytes}, 3 bytes per pixel`);
  const wrong = labels.find((label) => label >= classNames.length);
  if (wrong !== undefined) bad("labels", wrong, `classes from 0 to ${classNames.length - 1}`);
}
