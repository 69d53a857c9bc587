/** Training data with the checksum that identifies them. */

import { sha256 } from "../base/sha256.js";
import type { TrainingData } from "./api.js";

/** Data with their SHA-256 over names, labels and pixels. */
export async function trainingData(
  name: string,
  resolution: TrainingData["resolution"],
  classNames: string[],
  labels: Uint16Array<ArrayBuffer>,
  pixels: Uint8Array<ArrayBuffer>,
): Promise<TrainingData> {
  const head = JSON.stringify({ name, resolution, classNames });
  const digest = await sha256(new Blob([head, labels, pixels]));
  return { name, resolution, classNames, labels, pixels, sha256: digest };
}
