/** The worker that trains. It alone fetches the training builds. */

import { serve } from "../base/serve.js";
import { decodePicture } from "./picture.js";
import type { PictureCalls } from "./protocol.js";
import { training } from "./training.js";

serve(training, { decodePicture } satisfies PictureCalls);
