/** The sentences of the status line. */

import { isBeingMade, whyCpu } from "../being-made.js";
import type { Running, TrainingData, TrainProgress } from "./package.js";
import type { Mode } from "./session.js";

const BACKENDS = {
  cpu: "the CPU (WebAssembly with SIMD)",
  webgpu: "the GPU (WebGPU)",
};

export function sentenceOfMode(mode: Mode, running: Running | undefined, slow = false): string {
  const where = running ? ` on ${BACKENDS[running.backend]}: ${whyCpu("train-webgpu", "trains", running)}` : "";
  switch (mode) {
    case "none":
      return isBeingMade("train-cpu")
        ? "The build that trains is being made: a message says when it is there."
        : "Ready: press Play, or take a single step.";
    case "preparing":
      return "Preparing…";
    case "paused":
      return `Paused. Training runs${where}.`;
    case "stepping":
      return "Taking one step…";
    case "playing":
      return slow ? `Training in slow motion${where}.` : `Training${where}.`;
    case "failed":
      return "Training has stopped.";
  }
}

export function sentenceOfProgress(progress: TrainProgress): string | null {
  switch (progress.phase) {
    case "program":
      return "Loading the program…";
    case "prepare":
      return "Preparing the networks…";
    default:
      return null;
  }
}

/** "Avatars, 1,800 images: planets, sprouts", or with the number of classes where they are many. */
export function describeData({ name, classNames }: TrainingData): string {
  return `${name}: ${classNames.length <= 4 ? classNames.join(", ") : `${classNames.length} classes`}`;
}

/** How long ago. */
export function ago(milliseconds: number): string {
  const minutes = Math.round(milliseconds / 60_000);
  if (minutes < 1) return "less than a minute ago";
  if (minutes < 60) return `${minutes} ${minutes === 1 ? "minute" : "minutes"} ago`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} ${hours === 1 ? "hour" : "hours"} ago` : `${Math.round(hours / 24)} days ago`;
}
