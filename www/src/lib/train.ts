/** Training in the browser. Importing this starts nothing. */

export type * from "./base/api.js";
export { BigGanError, type ErrorCode } from "./base/errors.js";
export type * from "./train/api.js";
export { createTrainer } from "./train/client.js";
export { MOST_CLASSES, type ReadImages, readImages, type Unopened } from "./train/data.js";
export type { Finding, ReadData } from "./train/findings.js";
export type { GivenFile as PictureFile } from "./train/folder.js";
export { networksOf } from "./train/networks.js";
export { RESOLUTIONS } from "./train/options.js";
export { PRESETS, type Preset } from "./train/presets.js";
export { type ReadShipped, readShipped, SHIPPED, SHIPPED_RESOLUTIONS, type ShippedSet } from "./train/shipped.js";
export { openStore, type TrainingStore } from "./train/store.js";
