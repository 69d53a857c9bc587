/** The worker that trains. It alone fetches the training builds. */

import { reportFault, serve } from "../base/serve.js";
import { TrainInstance } from "./instance.js";

const instance = new TrainInstance();

serve({
  async open({ backend }) {
    await instance.open(backend, reportFault);
    return null;
  },
  ...instance.handlers,
});
