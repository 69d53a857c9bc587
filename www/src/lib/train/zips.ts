/** Zips among the files that were given: each is read as the folder that it holds. */

import { BigGanError, messageOf } from "../base/errors.js";
import type { GivenFile } from "./folder.js";
import type { OpenedZips } from "./opened-zips.js";
import { isZip } from "./picture-kinds.js";

/** Opens the zips that were given by themselves. Without one, nothing is fetched. */
export async function openZips(given: readonly GivenFile[], signal?: AbortSignal): Promise<OpenedZips> {
  const opened: OpenedZips = { files: [], findings: [] };
  for (const { path, file } of given) {
    if (!isZip(path) || path.includes("/")) {
      opened.files.push({ path, file });
      continue;
    }
    const { openZip } = await loadZips();
    const { files, findings } = await openZip(path, file, signal);
    opened.files.push(...files);
    opened.findings.push(...findings);
  }
  return opened;
}

async function loadZips(): Promise<typeof import("./train-zip.js")> {
  try {
    return await import("./train-zip.js");
  } catch (cause) {
    throw new BigGanError("network", `what unpacks zips could not be loaded: ${messageOf(cause)}`, { cause });
  }
}
