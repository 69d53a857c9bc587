/** An engine that can take training steps, for the page that compares them with native ones. */

import type { Backend } from "../sample/api.js";
import { WorkerEngine } from "../base/worker-engine.js";

export const openTrainEngine = (backend: Backend): Promise<WorkerEngine> =>
  WorkerEngine.open(
    backend,
    new Worker(new URL("./train-worker.js", import.meta.url), { type: "module" }),
  );
