/** The images that ship: subsets of two data sets. */

import { abortable, sleep } from "../base/abort.js";
import { BigGanError, messageOf } from "../base/errors.js";
import type { TrainingData } from "./api.js";
import type { ReadData } from "./findings.js";
import { trainingData } from "./training-data.js";

/** The sets; the first is the default. */
export const SHIPPED = [
  {
    id: "avatars",
    title: "Avatars",
    /** 150 of each class; also the name of the data. */
    name: "Avatars, 1,800 images",
    classNames: [
      "clay",
      "critters",
      "cutouts",
      "landscape",
      "moods",
      "open-peeps",
      "pixel-art",
      "planets",
      "sprouts",
      "thumbs",
      "voxel-art",
      "voxel-bot",
    ],
    license: "CC0 1.0, DiceBear and Pablo Stanley",
  },
  {
    id: "fashion-mnist",
    title: "Fashion-MNIST",
    /** 200 of each class; also the name of the data. */
    name: "Fashion-MNIST, 2,000 images",
    classNames: [
      "T-shirt/top",
      "Trouser",
      "Pullover",
      "Dress",
      "Coat",
      "Sandal",
      "Shirt",
      "Sneaker",
      "Bag",
      "Ankle boot",
    ],
    license: "MIT, Zalando SE",
  },
] as const;

export type ShippedSet = (typeof SHIPPED)[number];

/** Sides at which the sets can be read, in pixels. */
export const SHIPPED_RESOLUTIONS = [16, 32] as const;

/** Bundlers find files by such expressions; evaluated when they are wanted, since servers only import them. */
const FILES: Record<ShippedSet["id"], () => URL> = {
  avatars: () => new URL("./data/avatars-1800.pack.gz", import.meta.url),
  "fashion-mnist": () => new URL("./data/fashion-mnist-2000.pack.gz", import.meta.url),
};

/** Side to which the images of the files are padded with black, as `native-train` does. */
const PADDED = 32;

/** Work on the page's thread between yields to the page. */
const SLICE_MS = 10;

export interface ReadShipped {
  /** Which of `SHIPPED`, by its id; default the first. */
  set?: ShippedSet["id"] | undefined;
  resolution: (typeof SHIPPED_RESOLUTIONS)[number];
  /** Classes by number; default all. */
  classes?: readonly number[] | undefined;
  signal?: AbortSignal | undefined;
}

/** The images of some classes of a set at a resolution. */
export async function readShipped({ set = SHIPPED[0].id, resolution, classes, signal }: ReadShipped): Promise<ReadData> {
  const shipped = SHIPPED.find(({ id }) => id === set);
  if (!shipped) {
    throw new BigGanError("bad-options", `set is ${set}; those that ship are ${SHIPPED.map(({ id }) => id).join(" and ")}`, {
      field: "set",
    });
  }
  if (!SHIPPED_RESOLUTIONS.includes(resolution)) {
    throw new BigGanError(
      "bad-options",
      `resolution is ${resolution}; the images that ship have ${SHIPPED_RESOLUTIONS.join(" or ")} pixels`,
      { field: "resolution" },
    );
  }
  const { name, classNames } = shipped;
  const chosen = classes ?? classNames.map((_, place) => place);
  const wrong = chosen.find((place) => !classNames[place]);
  if (wrong !== undefined || chosen.length === 0) {
    throw new BigGanError(
      "bad-options",
      `classes is [${chosen}]; give numbers from 0 to ${classNames.length - 1}`,
      { field: "classes" },
    );
  }
  const { images, channels, side, labels } = await abortable(unpack(FILES[set](), signal), signal);
  const places = [...labels.keys()].filter((place) => chosen.includes(labels[place]!));
  const pixels = new Uint8Array(places.length * resolution ** 2 * 3);
  const bytes = channels * side ** 2;
  let began = performance.now();
  for (const [i, place] of places.entries()) {
    const planes = Array.from({ length: channels }, (_, channel) =>
      padded(images.subarray(place * bytes + channel * side ** 2, place * bytes + (channel + 1) * side ** 2), side),
    );
    pixels.set(rgbOf(planes, resolution), i * resolution ** 2 * 3);
    if (performance.now() - began < SLICE_MS) continue;
    await sleep(0, signal);
    began = performance.now();
  }
  const sorted = [...new Set(chosen)].sort((a, b) => a - b);
  const data: TrainingData = await trainingData(
    name,
    resolution,
    sorted.map((place) => classNames[place]!),
    Uint16Array.from(places, (place) => sorted.indexOf(labels[place]!)),
    pixels,
  );
  return { data, findings: [] };
}

/** A channel of an image padded with black. */
function padded(plane: Uint8Array, side: number): Uint8Array {
  const wide = new Uint8Array(PADDED ** 2);
  const margin = (PADDED - side) / 2;
  for (let y = 0; y < side; y++) {
    wide.set(plane.subarray(y * side, (y + 1) * side), (y + margin) * PADDED + margin);
  }
  return wide;
}

/** RGB of padded channels, of which grey images have one: as they are, or the means of 2x2 pixels. */
function rgbOf(planes: readonly Uint8Array[], resolution: number): Uint8Array {
  const side = PADDED / resolution;
  const rgb = new Uint8Array(resolution ** 2 * 3);
  for (let place = 0; place < resolution ** 2; place++) {
    const from = Math.floor(place / resolution) * side * PADDED + (place % resolution) * side;
    for (let channel = 0; channel < 3; channel++) {
      const plane = planes[channel % planes.length]!;
      let sum = 0;
      for (let y = 0; y < side; y++) for (let x = 0; x < side; x++) sum += plane[from + y * PADDED + x]!;
      rgb[place * 3 + channel] = Math.floor(sum / side ** 2 + 0.5);
    }
  }
  return rgb;
}

interface Entry {
  data_offsets: [number, number];
  shape: number[];
}

/** The file: a packed data set of `native-train data pack`, compressed with gzip, which has a checksum. */
async function unpack(url: URL, signal: AbortSignal | undefined) {
  let bytes: ArrayBuffer;
  try {
    const answer = await fetch(url, signal ? { signal } : {});
    if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
    // a server that says `Content-Encoding: gzip` has the browser unpack it
    const file = new Uint8Array(await answer.arrayBuffer());
    const packed = file[0] === 0x1f && file[1] === 0x8b;
    const stream = new Blob([file]).stream();
    const whole = packed ? stream.pipeThrough(new DecompressionStream("gzip")) : stream;
    bytes = await new Response(whole).arrayBuffer();
  } catch (cause) {
    signal?.throwIfAborted();
    throw new BigGanError("network", `the images of ${url} could not be fetched: ${messageOf(cause)}`, { cause });
  }
  const start = 8 + Number(new DataView(bytes).getBigUint64(0, true));
  const header: Record<"images_u8" | "row_classes", Entry> = JSON.parse(new TextDecoder().decode(bytes.slice(8, start)));
  const of = (name: keyof typeof header) => {
    const [from, to] = header[name].data_offsets;
    return bytes.slice(start + from, start + to);
  };
  const [, channels = 0, side = 0] = header.images_u8.shape;
  return { images: new Uint8Array(of("images_u8")), channels, side, labels: new Uint16Array(of("row_classes")) };
}
