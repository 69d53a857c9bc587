/** What the native programs compute. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { decode } from "./safetensors.mjs";

/** The clothes, which most tests of the page draw. */
export const MODEL = fileURLToPath(new URL("../../models/fashion32.safetensors", import.meta.url));

const target =
  process.env.CARGO_TARGET_DIR ?? fileURLToPath(new URL("../../target", import.meta.url));
export const REFERENCE = join(target, "debug/browser_reference");
export const NATIVE_TRAIN = process.env.NATIVE_TRAIN ?? join(target, "debug/native-train");

/** Runs a program that writes a safetensors file, and reads that file. */
function tensorsOf(program, argumentsFor) {
  const folder = mkdtempSync(join(tmpdir(), "biggan-"));
  try {
    const out = join(folder, "out.safetensors");
    execFileSync(program, argumentsFor(out), { stdio: ["ignore", "ignore", "inherit"] });
    return decode(readFileSync(out));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** RGBA bytes of `native-train sample`, one array an image; of the clothes or of the bytes of another model. */
export function samplePixels({ classIndex, truncation, seed, count, model }) {
  const options = { class: classIndex, truncation, seed, count };
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const path = (out) => {
    if (!model) return MODEL;
    const file = join(dirname(out), "model.safetensors");
    writeFileSync(file, model);
    return file;
  };
  return rgbaOf(tensorsOf(NATIVE_TRAIN, (out) => ["sample", path(out), ...flags, "--raw", out]));
}

/** The clothes with weights of another type, as `native-train export --dtype` writes them. */
export function modelIn(dtype, ...more) {
  const folder = mkdtempSync(join(tmpdir(), "biggan-"));
  try {
    const out = join(folder, "model.safetensors");
    execFileSync(NATIVE_TRAIN, ["export", MODEL, "--dtype", dtype, "--out", out, ...more], { stdio: "ignore" });
    return Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** RGBA bytes of `native-train sample --pictures`, one array an image. */
export function picturePixels(pictures, truncation) {
  const flags = (out) => {
    const list = join(dirname(out), "pictures.json");
    writeFileSync(list, JSON.stringify(pictures));
    return ["--pictures", list, "--truncation", String(truncation), "--raw", out];
  };
  return rgbaOf(tensorsOf(NATIVE_TRAIN, (out) => ["sample", MODEL, ...flags(out)]));
}

function rgbaOf(tensors) {
  const { shape, values } = tensors.get("image");
  const [n, channels, side] = shape;
  const plane = side * side;
  return Array.from({ length: n }, (_, image) => {
    const rgba = new Uint8Array(plane * 4).fill(255);
    for (let channel = 0; channel < channels; channel++) {
      for (let p = 0; p < plane; p++) {
        const value = values[(image * channels + channel) * plane + p];
        rgba[p * 4 + channel] = Math.min(255, Math.max(0, Math.round((value + 1) * 127.5)));
      }
    }
    return rgba;
  });
}

/** Losses, gradients and weights of the check run. */
export const checkRun = (seed, steps) =>
  tensorsOf(REFERENCE, (out) => ["check", String(seed), String(steps), out]);
