/** The worker's side: it answers one call at a time. */

import type { Backend } from "./api.js";
import { dataOf } from "./errors.js";
import type { FromWorker, Side, ToWorker } from "./protocol.js";

const reply = (message: FromWorker, transfer: Transferable[] = []) =>
  postMessage(message, { transfer });

/** Tells the page that the worker can no longer be used. */
const reportFault = (fault: string): void => reply({ fault });

/** Serves a side; `bare` answers calls that need no engine, until one is opened. */
export function serve<C>(side: Side<C>, bare = {}): void {
  // on a server, where a bundler may import every entry, there is no page to serve
  if (!("addEventListener" in globalThis)) return;
  // a panic ends as a trap in the event loop: no request would be answered any more
  addEventListener("error", (event) => reportFault(event.message));
  addEventListener("unhandledrejection", (event) => reportFault(String(event.reason)));

  let answers: any = bare;
  const answer = async ({ id, call, input }: ToWorker) => {
    try {
      let value = null;
      if (call === "open") answers = (await side.open(input as Backend, reportFault))();
      else value = await answers[call](input);
      reply({ id, value }, value?.rgba ? [value.rgba.buffer] : []);
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) reportFault(error.message);
      else reply({ id, error: dataOf(error) });
    }
  };
  let queue = Promise.resolve();
  addEventListener("message", (event: MessageEvent<ToWorker>) => {
    queue = queue.then(() => answer(event.data));
  });
}
