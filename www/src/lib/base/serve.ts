/** The inside of a worker: it answers one request at a time. */

import { messageOf } from "./errors.js";
import type { CallName, Calls, FromWorker, Handlers, ToWorker } from "./protocol.js";

const reply = (message: FromWorker, transfer: Transferable[] = []) =>
  postMessage(message, { transfer });

/** Tells the page that the worker cannot be used any more. */
export const reportFault = (fault: string): void => reply({ fault });

export function serve<K extends CallName>(handlers: Handlers<K>): void {
  // on a server, where a bundler may look at every entry, there is nobody to serve
  if (!("addEventListener" in globalThis)) return;
  // a panic ends as a trap somewhere in the event loop: no request would ever be answered
  addEventListener("error", (event) => reportFault(event.message));
  addEventListener("unhandledrejection", (event) => reportFault(String(event.reason)));

  const answer = async ({ id, call, input }: ToWorker) => {
    try {
      const handler = handlers[call as K] as (input: unknown) => Promise<Calls[CallName]["out"]>;
      const value = await handler(input);
      reply({ id, value }, value !== null && "rgba" in value ? [value.rgba.buffer] : []);
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) reportFault(error.message);
      else reply({ id, error: messageOf(error) });
    }
  };
  let queue = Promise.resolve();
  addEventListener("message", (event: MessageEvent<ToWorker>) => {
    queue = queue.then(() => answer(event.data));
  });
}
