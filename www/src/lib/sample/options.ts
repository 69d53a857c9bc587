/** Options of a generator, checked. */

import { checkEngineOptions, refuse } from "../base/options.js";
import type { GeneratorOptions } from "./api.js";

export function checkOptions(options: GeneratorOptions): void {
  const { model, sha256 } = options;
  if (!model) refuse("model", model, "an address or a file");
  checkEngineOptions(options);
  if (sha256 !== undefined && !/^[0-9a-f]{64}$/.test(sha256)) {
    refuse("sha256", sha256, "64 digits of lower-case hex");
  }
}
