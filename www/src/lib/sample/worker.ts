/** The worker: one wasm instance, one engine, one model. */

import { serve } from "../base/serve.js";
import { sampling } from "./sampling.js";

serve(sampling);
