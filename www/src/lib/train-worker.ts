/** The worker that trains. It alone fetches the training builds. */

import { reportFault, serve } from "./serve.js";
import { TrainInstance } from "./train-instance.js";

const instance = new TrainInstance();

serve({
  async open({ backend }) {
    await instance.open(backend, reportFault);
    return null;
  },
  ...instance.handlers,
});
