/** Samples of class-conditional GANs, computed in the browser. Importing this starts nothing. */

export type * from "./sample/api.js";
export { createGenerator } from "./sample/client.js";
export { BigGanError, type ErrorCode } from "./base/errors.js";
