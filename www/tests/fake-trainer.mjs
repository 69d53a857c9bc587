/**
 * A trainer that trains nothing, for tests of the view: it answers at once, and its images go from noise to the
 * data. What a test wants to go wrong is in the address: `?fake=lost`, `broken`, `slow`, `too-large`.
 */

export { BigGanError } from "../src/lib/base/errors.ts";
export { readImages } from "../src/lib/train/data.ts";
export { networksOf } from "../src/lib/train/networks.ts";
export { RESOLUTIONS } from "../src/lib/train/options.ts";
export { PRESETS } from "../src/lib/train/presets.ts";
export { readShipped, SHIPPED, SHIPPED_RESOLUTIONS } from "../src/lib/train/shipped.ts";
export { openStore } from "../src/lib/train/store.ts";

const wish = (name) => new URLSearchParams(location.search).get("fake")?.split(",").includes(name) ?? false;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A portable pseudo-random number from a few words, 0 to 1. */
function hash(...words) {
  let h = 2166136261;
  for (const word of words) h = Math.imul(h ^ word, 16777619);
  h ^= h >>> 15;
  h = Math.imul(h, 2246822519);
  h ^= h >>> 13;
  return (h >>> 0) / 2 ** 32;
}

/** Steps after which the fakes are as good as they get. */
const LEARNED = 150;

export async function createTrainer({ data, recipe: begun, checkpoint, networks, signal, onProgress }) {
  let recipe = begun;
  const tell = (progress) => onProgress?.(progress);
  tell({ phase: "program", backend: "cpu" });
  await pause(wish("slow") ? 1500 : 20);
  if (wish("too-large")) {
    throw new Error("the training needs 5,100 MB, and the device has 4,096 MB: choose a smaller width or batch");
  }
  signal?.throwIfAborted();
  tell({ phase: "prepare" });
  const state = {
    ...{ phase: "ready", gStep: 0, dStep: 0, imagesSeen: 0, recipe },
    ...{ parametersG: 120_000, parametersD: 98_000, memoryBytes: 64e6 },
    running: {
      ...{ backend: "cpu", reason: "no-webgpu", sentence: "this browser has no WebGPU" },
      ...{ place: "worker", placeReason: "own-worker", restarts: 0 },
    },
  };
  const read = async (file) => {
    const text = await file.text();
    if (!text.startsWith("{")) throw new Error("the checkpoint is of version 9, this program reads version 1");
    Object.assign(state, JSON.parse(text));
  };
  if (checkpoint) await read(checkpoint);
  let stopping = false;
  let kept = { gStep: 0, dStep: 0, imagesSeen: 0 };
  const counts = () => ({ gStep: state.gStep, dStep: state.dStep, imagesSeen: state.imagesSeen });
  tell({ phase: "ready", state: { ...state } });
  const imageOf = (index) => {
    const count = data.resolution ** 2;
    return data.pixels.subarray(index * count * 3, (index + 1) * count * 3);
  };
  const rgba = (rgb) => {
    const image = new ImageData(data.resolution, data.resolution);
    for (let pixel = 0; pixel < rgb.length / 3; pixel++) {
      image.data.set([rgb[3 * pixel], rgb[3 * pixel + 1], rgb[3 * pixel + 2], 255], 4 * pixel);
    }
    return image;
  };
  /** A real image under noise that goes away as "training" goes on. */
  const fake = (label, number) => {
    const members = [...data.labels.keys()].filter((index) => data.labels[index] === label);
    const real = imageOf(members[Math.floor(hash(label, number, 7) * members.length)] ?? 0);
    const noise = networks ? 0 : Math.exp((-3 * state.gStep) / LEARNED);
    const rgb = real.map((value, index) => value * (1 - noise) + 255 * noise * hash(number, label, index - (index % 3)));
    return rgba(rgb);
  };
  const logit = (real, number) => {
    const apart = 1.4 * Math.exp(-state.gStep / LEARNED) + 0.15;
    return (real ? apart : -apart) + 0.9 * (hash(number, state.dStep, real ? 1 : 2) - 0.5);
  };
  const one = async (which) => {
    await pause(wish("slow") ? 200 : 8);
    // both wait for a save: how far a page trains before it pauses is a matter of the machine's speed
    if (wish("broken") && kept.gStep > 0 && state.gStep >= kept.gStep + 100 && !globalThis.crashed) {
      globalThis.crashed = true;
      throw new Error("the worker has crashed, and so did starting it again");
    }
    if (wish("lost") && kept.gStep > 0 && state.gStep === kept.gStep + 20 && state.running.restarts === 0) {
      const lostSteps = state.gStep - kept.gStep;
      Object.assign(state, kept);
      state.running = { ...state.running, restarts: 1 };
      tell({ phase: "restored", state: { ...state }, lostSteps });
    }
    const report = { elapsedMs: 8 + 4 * hash(state.dStep, 3) };
    const wobble = (series) => 0.25 * (hash(state.dStep, state.gStep, series) - 0.5);
    const trained = Math.exp(-state.gStep / LEARNED);
    if (which !== "g") {
      state.dStep += recipe.dSteps;
      state.imagesSeen += recipe.dSteps * recipe.batchSize;
      Object.assign(report, {
        lossD: 1.7 - 0.9 * trained + wobble(1),
        dReal: 1.4 * trained + 0.15 + wobble(2),
        dFake: -1.4 * trained - 0.15 + wobble(3),
      });
    }
    if (which !== "d") {
      state.gStep += 1;
      report.lossG = 1.4 * trained + 0.15 + wobble(4);
    }
    return { ...report, ...counts() };
  };
  return {
    get state() {
      return { ...state };
    },
    async step(n, which = "both") {
      stopping = false;
      const reports = [];
      for (let step = 0; step < n && !stopping; step++) {
        const report = await one(which);
        reports.push(report);
        tell({ phase: "step", report });
      }
      return reports;
    },
    async pause() {
      stopping = true;
    },
    async look({ perClass = 8, scored = 8 } = {}) {
      const classes = data.classNames.length;
      const of = (real) =>
        Array.from({ length: scored }, (_, number) => {
          const label = number % classes;
          const members = [...data.labels.keys()].filter((index) => data.labels[index] === label);
          const image = real ? rgba(imageOf(members[number % members.length])) : fake(label, 100 + number);
          return { image, class: label, score: logit(real, number) };
        });
      return {
        gStep: state.gStep,
        grid: data.classNames.flatMap((_, label) =>
          Array.from({ length: perClass }, (_, number) => ({ image: fake(label, number), class: label })),
        ),
        real: of(true),
        fake: of(false),
        sigmas: ["linear.weight", "blocks.0.conv1.weight", "blocks.1.conv2.weight", "output_conv.weight"]
          .map((layer, index) => ({ network: "g", layer, sigma: 1 + 0.3 * index + state.gStep / 400 }))
          .concat(
            ["blocks.0.conv1.weight", "blocks.1.conv2.weight", "embed.weight"].map((layer, index) => ({
              ...{ network: "d", layer },
              sigma: 1.4 + 0.2 * index + state.gStep / 300,
            })),
          ),
      };
    },
    async save() {
      kept = counts();
      return new Blob([JSON.stringify(kept)]);
    },
    load: read,
    async amend(next) {
      if (wish("stubborn")) throw new Error("the augmentation cannot be changed");
      recipe = state.recipe = next;
    },
    packedImages: async () => new Blob(["images"]),
    exportModel: async () => new Blob(["a model"]),
    dispose() {
      stopping = true;
    },
  };
}
