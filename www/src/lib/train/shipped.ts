/** The images that ship: a subset of Fashion-MNIST. */

import { abortable, sleep } from "../base/abort.js";
import { BigGanError, messageOf } from "../base/errors.js";
import type { TrainingData } from "./api.js";
import type { ReadData } from "./findings.js";
import { trainingData } from "./training-data.js";

/** 200 images of each class. */
export const SHIPPED = {
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
  resolutions: [16, 32] as const,
  license: "MIT, Zalando SE",
};

/** Side of the images in the file, and to which they are padded with black, as `native-train` does. */
const [SIDE, PADDED] = [28, 32];

/** Work on the page's thread between yields to the page. */
const SLICE_MS = 10;

export interface ReadShipped {
  resolution: (typeof SHIPPED.resolutions)[number];
  /** Classes by number; default all. */
  classes?: number[] | undefined;
  signal?: AbortSignal | undefined;
}

/** The images of some classes at a resolution. */
export async function readShipped({ resolution, classes, signal }: ReadShipped): Promise<ReadData> {
  if (!SHIPPED.resolutions.includes(resolution)) {
    throw new BigGanError(
      "bad-options",
      `resolution is ${resolution}; the images that ship have ${SHIPPED.resolutions.join(" or ")} pixels`,
      { field: "resolution" },
    );
  }
  const chosen = classes ?? SHIPPED.classNames.map((_, place) => place);
  const wrong = chosen.find((place) => !SHIPPED.classNames[place]);
  if (wrong !== undefined || chosen.length === 0) {
    throw new BigGanError(
      "bad-options",
      `classes is [${chosen}]; give numbers from 0 to ${SHIPPED.classNames.length - 1}`,
      { field: "classes" },
    );
  }
  const { images, labels } = await abortable(unpack(signal), signal);
  const places = [...labels.keys()].filter((place) => chosen.includes(labels[place]!));
  const pixels = new Uint8Array(places.length * resolution ** 2 * 3);
  let began = performance.now();
  for (const [i, place] of places.entries()) {
    const image = images.subarray(place * SIDE ** 2, (place + 1) * SIDE ** 2);
    pixels.set(rgbOf(padded(image), resolution), i * resolution ** 2 * 3);
    if (performance.now() - began < SLICE_MS) continue;
    await sleep(0, signal);
    began = performance.now();
  }
  const sorted = [...new Set(chosen)].sort((a, b) => a - b);
  const data: TrainingData = await trainingData(
    SHIPPED.name,
    resolution,
    sorted.map((place) => SHIPPED.classNames[place]!),
    Uint16Array.from(places, (place) => sorted.indexOf(labels[place]!)),
    pixels,
  );
  return { data, findings: [] };
}

/** A grey image padded with black. */
function padded(grey: Uint8Array): Uint8Array {
  const wide = new Uint8Array(PADDED ** 2);
  const margin = (PADDED - SIDE) / 2;
  for (let y = 0; y < SIDE; y++) {
    wide.set(grey.subarray(y * SIDE, (y + 1) * SIDE), (y + margin) * PADDED + margin);
  }
  return wide;
}

/** RGB of a padded image: as it is, or the means of 2x2 pixels. */
function rgbOf(wide: Uint8Array, resolution: number): Uint8Array {
  const side = PADDED / resolution;
  const rgb = new Uint8Array(resolution ** 2 * 3);
  for (let place = 0; place < resolution ** 2; place++) {
    const from = Math.floor(place / resolution) * side * PADDED + (place % resolution) * side;
    let sum = 0;
    for (let y = 0; y < side; y++) for (let x = 0; x < side; x++) sum += wide[from + y * PADDED + x]!;
    rgb.fill(Math.floor(sum / side ** 2 + 0.5), place * 3, place * 3 + 3);
  }
  return rgb;
}

interface Entry {
  data_offsets: [number, number];
}

/** The file: a packed data set of `native-train data pack`, compressed with gzip, which has a checksum. */
async function unpack(signal: AbortSignal | undefined) {
  const url = new URL("./data/fashion-mnist-2000.pack.gz", import.meta.url);
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
  const header = JSON.parse(new TextDecoder().decode(bytes.slice(8, start)));
  const of = (name: string) => {
    const [from, to] = (header[name] as Entry).data_offsets;
    return bytes.slice(start + from, start + to);
  };
  return {
    images: new Uint8Array(of("images_u8")),
    labels: new Uint16Array(of("row_classes")),
  };
}
