/** The worker: one wasm instance, one engine, one model. It answers one request at a time. */

import type { Engine, Model } from "../../pkg/cpu/biggan_web.js";
import type { Backend, CallName, Calls, FromWorker, ToWorker } from "./protocol.js";

let engine: Engine | undefined;
let model: Model | undefined;

const reply = (message: FromWorker, transfer: Transferable[] = []) =>
  postMessage(message, { transfer });

/** The build with the GPU is several times as large, so it is fetched only where it is used. */
const load = (backend: Backend) =>
  backend === "webgpu"
    ? import("../../pkg/webgpu/biggan_web.js")
    : import("../../pkg/cpu/biggan_web.js");

function opened<T>(what: T | undefined, name: string): T {
  if (what === undefined) throw new Error(`the worker has no ${name} yet`);
  return what;
}

const handlers: { [K in CallName]: (input: Calls[K]["in"]) => Promise<Calls[K]["out"]> } = {
  async open({ backend }) {
    const wasm = await load(backend);
    await wasm.default();
    wasm.watchFaults((fault: string) => reply({ fault }));
    // the two builds have the same interface
    engine = (await wasm.Engine.open(backend)) as Engine;
    return null;
  },

  async selfTest() {
    return JSON.parse(await opened(engine, "engine").selfTest());
  },

  async load({ file }) {
    const loaded = opened(engine, "engine").load(file);
    model?.free();
    model = loaded;
    return JSON.parse(model.info());
  },

  async sample({ classIndex, seed, truncation, count }) {
    const start = performance.now();
    const batch = await opened(model, "model").sample(
      classIndex,
      seed,
      truncation ?? undefined,
      count,
    );
    const bytes = batch.rgba();
    const { side } = batch;
    batch.free();
    const rgba = new Uint8ClampedArray(bytes.buffer as ArrayBuffer);
    return { side, count, rgba, elapsedMs: performance.now() - start };
  },

  trainCheck: ({ seed, steps }) => opened(engine, "engine").trainCheck(seed, steps),
};

async function answer({ id, call, input }: ToWorker) {
  try {
    const value = await (handlers[call] as (input: unknown) => Promise<Calls[CallName]["out"]>)(
      input,
    );
    const transfer = value !== null && "rgba" in value ? [value.rgba.buffer] : [];
    reply({ id, value }, transfer);
  } catch (error) {
    reply({ id, error: error instanceof Error ? error.message : String(error) });
  }
}

// a panic ends as a trap somewhere in the event loop: no request would ever be answered
addEventListener("error", (event) => reply({ fault: event.message }));
addEventListener("unhandledrejection", (event) => reply({ fault: String(event.reason) }));

let queue = Promise.resolve();
addEventListener("message", (event: MessageEvent<ToWorker>) => {
  queue = queue.then(() => answer(event.data));
});
