/** The worker: one wasm instance, one engine, one model. */

import { Instance, type LoadedModel } from "./instance.js";
import { reportFault, serve } from "../base/serve.js";

let instance: Instance | undefined;
let model: LoadedModel | undefined;

function opened<T>(what: T | undefined, name: string): T {
  if (what === undefined) throw new Error(`the worker has no ${name} yet`);
  return what;
}

serve({
  async open({ backend }) {
    instance = await Instance.open(backend, reportFault);
    return null;
  },
  selfTest: () => opened(instance, "engine").selfTest(),
  async load(files) {
    const next = await opened(instance, "engine").load(files);
    model?.free();
    model = next;
    return model.loaded;
  },
  draw: (call) => opened(model, "model").draw(call),
});
