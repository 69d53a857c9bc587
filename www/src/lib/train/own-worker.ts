/** The package's worker that trains. */

import type { OwnWorker } from "../base/own-worker.js";

export const ownTrainWorker: OwnWorker = {
  file: "train-worker.js",
  start: () => new Worker(new URL("./train-worker.js", import.meta.url), { type: "module" }),
};
