/** Samples of class-conditional GANs, computed in the browser. Importing this starts nothing. */

export { probeAdapter, type Refusal } from "./base/adapter.js";
export type * from "./base/api.js";
export { BigGanError, type ErrorCode } from "./base/errors.js";
export { type SheetLayout, sheetOf } from "./base/sheet.js";
export type * from "./sample/api.js";
export { classesNamed } from "./sample/class-names.js";
export { createGenerator } from "./sample/client.js";
export { BigGanModels, type KeptModel } from "./sample/kept-models.js";
