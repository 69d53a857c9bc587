/** Trained networks that a run starts from (fine-tuning), as their file describes them. */

import { BigGanError } from "../base/errors.js";
import { readHeader } from "../base/safetensors.js";
import type { Networks } from "./api.js";
import { RESOLUTIONS } from "./options.js";

const MODEL = "biggan";
const CHECKPOINT = "biggan-checkpoint";

/** The part of the core's `GeneratorConfig` that matters here; keys with their usual value may be missing. */
interface GeneratorConfig {
  architecture?: string;
  resolution: number;
  channels: number;
  z_dim: number;
  latent?: unknown;
  class_embedding: { kind: string; dim?: number };
  hierarchical_z: boolean;
  attention: number[];
}

/**
 * What the networks of a model or of a checkpoint dictate of a run that starts from them. Whether all else is as a
 * browser's recipe has it, the core says at the start.
 */
export async function networksOf(file: Blob): Promise<Networks> {
  const header = await readHeader(file);
  const format = header === null || header === "more" ? undefined : header.metadata["format"];
  if (header === null || header === "more" || (format !== MODEL && format !== CHECKPOINT)) {
    throw bad("it is neither a model nor a checkpoint of this program");
  }
  const read = (key: string) => JSON.parse(header.metadata[key] ?? "null");
  let described: { generator: GeneratorConfig; class_names: string[] };
  try {
    described =
      format === MODEL
        ? read("config")
        : { generator: read("plan").train.generator, class_names: read("class_names") };
  } catch (cause) {
    throw bad("its description cannot be read", cause);
  }
  const { generator, class_names: classNames } = described ?? {};
  const known = generator && Array.isArray(generator.attention) && Array.isArray(classNames);
  if (!known) throw bad("its description is incomplete");
  const resolution = RESOLUTIONS.find((one) => one === generator.resolution);
  if (resolution === undefined) {
    throw bad(`it draws ${generator.resolution} pixels; a browser trains ${RESOLUTIONS.join(", ")}`);
  }
  const { architecture = "biggan", latent = "normal", class_embedding: table, attention } = generator;
  const usual =
    architecture === "biggan" && latent === "normal" && table?.kind === "shared" && generator.hierarchical_z;
  const attends = attention.length > 0;
  if (!usual || attention.length > 1 || (attends && attention[0] !== resolution / 2)) {
    throw bad(
      "its architecture is none that a browser trains: BigGAN's with a shared embedding, a hierarchical z and " +
        "attention at half its resolution or none",
    );
  }
  const { channels: width, z_dim: zDim } = generator;
  const recipe = { width, zDim, embedding: table.dim ?? 0, attention: attends };
  return { resolution, classNames, hasDiscriminator: format === CHECKPOINT, recipe };
}

const bad = (why: string, cause?: unknown): BigGanError =>
  new BigGanError("bad-model", `no training can start from this file: ${why}`, { cause });
