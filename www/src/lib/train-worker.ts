/** The worker of the page that compares training steps with native ones. It alone fetches the training builds. */

import { reportFault, serve } from "./serve.js";
import type { Engine } from "../../pkg/train-cpu/biggan_web.js";
import type { Backend } from "./api.js";

let engine: Engine | undefined;

const load = (backend: Backend) =>
  backend === "webgpu"
    ? import("../../pkg/train-webgpu/biggan_web.js")
    : import("../../pkg/train-cpu/biggan_web.js");

function opened(): Engine {
  if (!engine) throw new Error("the worker has no engine yet");
  return engine;
}

serve({
  async open({ backend }) {
    const program = await load(backend);
    await program.default();
    program.watchFaults(reportFault);
    // the two builds have the same interface
    engine = (await program.Engine.open(backend)) as Engine;
    return null;
  },
  selfTest: async () => JSON.parse(await opened().selfTest()),
  trainCheck: async ({ seed, steps }) =>
    (await opened().trainCheck(seed, steps)) as Uint8Array<ArrayBuffer>,
});
