/** Options in the page's address. */

import type { Backend } from "../lib/index.js";

/** `?backend=cpu|webgpu` forces a backend; anything else leaves the choice to the page. */
export function wantedBackend(query: string): Backend | "auto" {
  const wanted = new URLSearchParams(query).get("backend");
  return wanted === "cpu" || wanted === "webgpu" ? wanted : "auto";
}
