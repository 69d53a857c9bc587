/** Training in the browser. Importing this starts nothing. */

export type { Backend, Running, Seed } from "./sample/api.js";
export { BigGanError, type ErrorCode } from "./base/errors.js";
export type * from "./train/api.js";
export { createTrainer } from "./train/client.js";
export {
  type Finding,
  MOST_CLASSES,
  type PictureFile,
  type ReadData,
  readImages,
  readShipped,
  SHIPPED,
} from "./train/data.js";
export { PRESETS, type Preset } from "./train/presets.js";
export { openStore, type TrainingStore } from "./train/store.js";
