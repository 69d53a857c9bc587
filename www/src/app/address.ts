/** Options in the page's address. */

import type { Backend } from "../lib/index.js";
import { isBeingMade } from "./being-made.js";

/** `?backend=cpu|webgpu` forces a backend; anything else leaves the choice to the page. Without the GPU build it is the CPU. */
export function wantedBackend(query: string, gpu: "sample-webgpu" | "train-webgpu"): Backend | "auto" {
  if (isBeingMade(gpu)) return "cpu";
  const wanted = new URLSearchParams(query).get("backend");
  return wanted === "cpu" || wanted === "webgpu" ? wanted : "auto";
}
