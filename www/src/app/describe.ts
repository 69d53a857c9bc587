/** A request in words. */

import type { SampleRequest } from "../lib/index.js";

const truncationWord = ({ truncation }: SampleRequest) =>
  truncation === null ? "off" : String(truncation);

/** For the alternative text of a sample. */
export const describe = (request: SampleRequest, className: string) =>
  `${className}, seed ${request.seed}, truncation ${truncationWord(request)}`;

/** For a file that is saved. */
export function fileName(request: SampleRequest, className: string): string {
  const name = className.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
  return `biggan-${name || "class"}-seed-${request.seed}-truncation-${truncationWord(request)}.png`;
}
