/** Samples of class-conditional GANs, computed in the browser. Importing this starts nothing. */

export type * from "./api.js";
export { createGenerator } from "./client.js";
export { BigGanError, type ErrorCode } from "./errors.js";
