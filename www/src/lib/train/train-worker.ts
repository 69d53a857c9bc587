/** The worker that trains. It alone fetches the training builds. */

import { serve } from "../base/serve.js";
import type { PictureCalls } from "./protocol.js";
import { training } from "./training.js";

serve(training, {
  kindOfPicture: async (file) => (await import("./train-picture.js")).kindOfPicture(file),
  decodePicture: async (picture) => (await import("./train-picture.js")).decodePicture(picture),
} satisfies PictureCalls);
