/** What is in zips. */

import type { Finding } from "./findings.js";
import type { PictureFile } from "./folder.js";

/** Files, of which those in zips are not unpacked yet; without files of a zip if a finding says that it is not read. */
export interface OpenedZips {
  files: PictureFile[];
  findings: Finding[];
}
