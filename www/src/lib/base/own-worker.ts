/** The package's own workers. */

import { NoWorkerError } from "./engine.js";
import { messageOf } from "./errors.js";

export interface OwnWorker {
  /** Name of its file, next to this module. */
  file: string;
  /** Starts it from the page's origin. Bundlers look for the form `new Worker(new URL(..))`, and bundle the worker. */
  start(): Worker;
}

/** Bundlers replace it, some by an address that is no web address; they would take a `new URL` with it for a file. */
const HERE = import.meta.url;

/** Whether the page has another origin than the package, whose workers browsers then refuse to start. */
export const isElsewhere = (): boolean =>
  /^https?:/.test(HERE) && new URL(HERE).origin !== globalThis.origin;

/** Throws {@link NoWorkerError} if the page may not start the worker; a policy may also stop it later. */
export function startOwn({ file, start }: OwnWorker): Worker {
  try {
    return isElsewhere() ? startImporting(new URL(file, HERE)) : start();
  } catch (error) {
    throw new NoWorkerError(messageOf(error));
  }
}

/** The worker that a function of the page starts; throws {@link NoWorkerError} if that fails. */
export function startGiven(start: () => Worker): Worker {
  let worker: Worker | undefined;
  try {
    worker = start();
  } catch (error) {
    throw new NoWorkerError(messageOf(error));
  }
  if (typeof worker?.postMessage !== "function") throw new NoWorkerError("the function gives no worker");
  return worker;
}

/** A worker of the page's own origin that imports the package's. */
function startImporting(worker: URL): Worker {
  const program = new Blob([`import ${JSON.stringify(worker)};`], { type: "text/javascript" });
  const address = URL.createObjectURL(program);
  const started = new Worker(address, { type: "module" });
  const forget = () => URL.revokeObjectURL(address);
  for (const event of ["message", "error"]) started.addEventListener(event, forget, { once: true });
  return started;
}
