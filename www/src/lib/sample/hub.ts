/** Models of Hugging Face's hub by name: `hf:OWNER/REPOSITORY`, perhaps with `/FILE` and `@REVISION`. */

import { BigGanError } from "../base/errors.js";
import { fetchFile, type FileRequest, INDEX, isForeign, isIndex } from "./file.js";

const HUB = "https://huggingface.co/";
const NAME = /^hf:([\w-][\w.-]*\/[\w-][\w.-]*)((?:\/[\w-][\w.-]*)*)(?:@([\w-][\w./-]*))?$/;
const MODEL = ".safetensors";
/** The names that Hugging Face's libraries write come before others. */
const USUAL = ["model.safetensors", "pytorch_model.bin"];

export const isHubName = (model: unknown): model is string => typeof model === "string" && model.startsWith("hf:");

/**
 * The address of a model's weights at the commit that its revision has now; where the hub cannot be reached, at the one
 * that this browser saw last.
 */
export async function hubAddress(name: string, request: Omit<FileRequest, "url">): Promise<URL> {
  const [, id, path, revision = "main"] = NAME.exec(name) ?? [];
  if (!id || name.includes("..")) {
    throw refusal("bad-options", `${JSON.stringify(name)} is no name; give hf:OWNER/REPOSITORY, perhaps with /FILE and @REVISION`);
  }
  const url = new URL(`api/models/${id}/revision/${encodeURIComponent(revision)}`, HUB);
  const listing = await fetchFile({ ...request, url }).catch((cause: unknown) => {
    // the hub says 401 of what is private and of what is not there
    const status = cause instanceof BigGanError ? cause.numbers["status"] : undefined;
    const isAbsent = status === 401 || status === 403 || status === 404;
    throw isAbsent ? refusal("network", `there is no ${HUB}${id} at ${revision}, or it is not public; check the name`, cause) : cause;
  });
  const { sha, siblings } = JSON.parse(await listing.file.text());
  const names: string[] = siblings.map(({ rfilename }: { rfilename: string }) => rfilename);
  const file = path ? path.slice(1) : weightsOf(names);
  if (!file || !names.includes(file)) {
    const there = names.slice(0, 6).join(", ") || "nothing";
    throw refusal("bad-model", `${HUB}${id} has no ${file ?? "weights, or several"}: it has ${there}; give hf:OWNER/REPOSITORY/FILE`);
  }
  return new URL(`${id}/resolve/${sha}/${file}`, HUB);
}

/** An index of parts, a model file, or another program's weights. */
function weightsOf(names: string[]): string | undefined {
  const here = names.filter((name) => !name.includes("/"));
  const only = (found: string[]) => (found.length === 1 ? found[0] : undefined);
  const models = here.filter((name) => name.endsWith(MODEL));
  return (
    here.find((name) => isIndex(name) && name.endsWith(MODEL + INDEX)) ??
    USUAL.find((name) => here.includes(name)) ??
    only(models.length > 0 ? models : here.filter(isForeign))
  );
}

const refusal = (code: "bad-options" | "bad-model" | "network", text: string, cause?: unknown) =>
  new BigGanError(code, text, { field: "model", ...(cause !== undefined && { cause }) });
