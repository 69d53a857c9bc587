/** Identifies dropped or picked files: a saved picture, a model, or another program's weights. */

import { findText, STATE_KEYWORD } from "../png/text.js";
import type { Source } from "./source.js";

/** This page saves no larger pictures. */
const MOST_PICTURE_BYTES = 256e6;

const ending = (end: RegExp) => (file: File) => end.test(file.name);
const isPicture = (file: File) => file.type === "image/png" || /\.png$/i.test(file.name);
const isModel = ending(/\.safetensors$/i);
const isForeign = ending(/\.(bin|pt|pth|ckpt)$/i);
const isConfig = ending(/\.(json|ya?ml)$/i);

export type Opened = { link: string } | { source: Source };

/** @throws if the files are none of these, or a picture has no state; the message says what can be opened. */
export async function openFiles(files: readonly File[]): Promise<Opened> {
  const picture = files.find(isPicture);
  if (picture) return { link: await linkOf(picture) };
  const model = files.find(isModel);
  if (model) return { source: { kind: "file", name: model.name, file: model } };
  const weights = files.find(isForeign);
  const config = files.find(isConfig);
  if (weights) {
    const file = config ? { weights, config } : { weights };
    return { source: { kind: "file", name: weights.name, file } };
  }
  const names = `${files.length === 1 ? "the file" : "the files"} ${files.map(({ name }) => name).join(", ")}`;
  if (config?.name.endsWith(".index.json")) {
    throw new Error(`${names}: an index of parts cannot be opened by itself; give its address, so that the parts are found next to it`);
  }
  throw new Error(
    `${names} cannot be opened: give a PNG saved here, a model (.safetensors), ` +
      "or PyTorch weights (.bin, .pth) together with their config (.json)",
  );
}

async function linkOf(picture: File): Promise<string> {
  if (picture.size > MOST_PICTURE_BYTES) throw new Error(`the file ${picture.name} is too large for a picture saved here`);
  let link: string | null;
  try {
    link = findText(new Uint8Array(await picture.arrayBuffer()), STATE_KEYWORD);
  } catch (error) {
    throw new Error(`the file ${picture.name}: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (link !== null) return link;
  throw new Error(
    `the file ${picture.name} has no saved state: it was saved elsewhere, or a program has removed its text`,
  );
}
