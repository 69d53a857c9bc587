export type { Choice } from "./backend.js";
export { createGenerator, type Generator, type GeneratorOptions } from "./client.js";
export type { Backend, ModelInfo, SampleRequest, Samples } from "./protocol.js";
