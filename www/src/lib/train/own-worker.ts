/** The package's worker that trains. */

/** Bundlers recognise this form and bundle the worker. */
export const ownTrainWorker = (): Worker =>
  new Worker(new URL("./train-worker.js", import.meta.url), { type: "module" });
