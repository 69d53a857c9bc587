/** Images to train on, from the user's pictures. */

import { FaultError, NoWorkerError } from "../base/engine.js";
import { BigGanError, messageOf } from "../base/errors.js";
import { refuse as refuseOption } from "../base/options.js";
import { startOwn } from "../base/own-worker.js";
import { WorkerEngine } from "../base/worker-engine.js";
import type { TrainingData } from "./api.js";
import { LayoutError, type Listing, listClasses } from "./class-folders.js";
import { type Finding, judge, listed, type PictureFacts, type ReadData, worstFirst } from "./findings.js";
import type { GivenFile, PictureFile } from "./folder.js";
import { ownTrainWorker } from "./own-worker.js";
import { judgePictures } from "./picture-findings.js";
import type { DecodedPicture, PictureCalls, PictureRequest, Preparation } from "./protocol.js";
import { trainingData } from "./training-data.js";
import { openZips } from "./zips.js";

/** Most classes in the browser: each needs its own pictures in the grid. */
export const MOST_CLASSES = 36;
/** Most bytes of pixels: they are held twice, by the page and by the worker. */
const MOST_DATA_BYTES = 400e6;

export interface ReadImages {
  /** In the layouts that `native-train` reads (docs/data.md, "Layouts"). A zip that is in no folder is the folder that it holds. */
  files: readonly GivenFile[];
  /** A list of labels (.tsv, .csv or .json) in place of class folders, as `native-train data pack --labels`. */
  labels?: File | undefined;
  resolution: TrainingData["resolution"];
  /** As `data.fit` and `data.background` of `native-train`. */
  fit?: Preparation["fit"] | undefined;
  background?: string | undefined;
  /** What could not be opened, as a browser gave it; each is named like a broken picture. */
  unopened?: readonly Unopened[] | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((done: number, total: number) => void) | undefined;
}

/** A file or folder that a browser would not open. */
export interface Unopened {
  path: string;
  reason: string;
}

/** Decodes and resizes pictures in a worker; nothing leaves the browser. */
export async function readImages(request: ReadImages): Promise<ReadData> {
  const decoder = new Decoder();
  try {
    return await read(request, decoder);
  } finally {
    decoder.dispose();
  }
}

async function read(request: ReadImages, decoder: Decoder): Promise<ReadData> {
  const { files, labels, resolution, unopened = [], signal, onProgress = () => {} } = request;
  const preparation = preparationOf(request);
  await load(decoder);
  const unzipped = await openZips(files, signal);
  if (unzipped.findings.some(({ severity }) => severity === "fault")) return { data: null, findings: worstFirst(unzipped.findings) };
  let listing: Listing;
  try {
    listing = await listClasses(unzipped.files, (file) => kindOf(file, decoder), { labels, signal });
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof LayoutError)) throw error;
    return { data: null, findings: [fault("layout", error.message, LAYOUT), ...unzipped.findings] };
  }
  const { name, from, classNames, pictures } = listing;
  const about = [
    ...unzipped.findings,
    ...listing.passed.findings(from),
    ...listing.remarks.map((remark) => note("parts", remark, "nothing needs doing, if that is meant")),
  ];
  const broken = unopened.map(({ path, reason }) => `${path}: ${reason}`);
  const refusal = refuse(pictures.length, classNames, resolution, broken);
  if (refusal) return { data: null, findings: [refusal, ...about] };

  const decoded: { picture: (typeof pictures)[number]; image: DecodedPicture }[] = [];
  for (const [place, picture] of pictures.entries()) {
    signal?.throwIfAborted();
    try {
      const file = await contentOf(picture.file);
      const image = await decoder.decodePicture({ file, resolution, ...preparation });
      decoded.push({ picture, image });
    } catch (error) {
      if (error instanceof FaultError) throw error;
      broken.push(`${picture.path}: ${messageOf(error)}`);
    }
    onProgress(place + 1, pictures.length);
  }
  const left = (label: number) => decoded.some(({ picture }) => picture.label === label);
  const gone = classNames.find((_, label) => !left(label));
  if (gone !== undefined) {
    const message = `none of the pictures of class "${gone}" can be read: ${listed(broken)}`;
    return { data: null, findings: [fault("unreadable", message, "repair them, or leave the class out"), ...about] };
  }

  const facts = decoded.map(({ picture: { path, label }, image: { traits, digest } }): PictureFacts => {
    return { class: classNames[label]!, path, digest, ...traits };
  });
  const pixels = new Uint8Array(decoded.length * resolution ** 2 * 3);
  decoded.forEach(({ image }, i) => pixels.set(image.rgba, i * resolution ** 2 * 3));
  const classOfEach = Uint16Array.from(decoded, ({ picture }) => picture.label);
  const data = await trainingData(name, resolution, classNames, classOfEach, pixels);
  const findings = [...judge(facts), ...judgePictures(facts, resolution, preparation), ...about];
  if (broken.length > 0) {
    const total = pictures.length + unopened.length;
    findings.unshift({
      severity: "warning",
      kind: "unreadable",
      message: `${broken.length} of ${total} files are left out: ${listed(broken)}`,
      remedy: "repair them, or continue without them",
    });
  }
  return { data, findings: worstFirst(findings) };
}

/** Bytes at the start of a file that say what it is, with room to spare. */
const START_BYTES = 4096;

/** What the start of a file says; one that cannot be unpacked says nothing. */
async function kindOf(file: PictureFile["file"], decoder: Decoder): Promise<string | null> {
  const start = file instanceof Blob ? file : await file.unpack(START_BYTES).catch(() => null);
  return start && decoder.kindOfPicture(start);
}

const contentOf = async (file: PictureFile["file"]): Promise<Blob> => (file instanceof Blob ? file : file.unpack());

/** Fetches what decodes, so that its absence is not taken for a fault of each picture. */
async function load(decoder: Decoder): Promise<void> {
  try {
    await decoder.kindOfPicture(new Blob());
  } catch (cause) {
    if (cause instanceof FaultError) throw cause;
    throw new BigGanError("network", `the build that decodes pictures could not be loaded: ${messageOf(cause)}`, { cause });
  }
}

/** The options, checked here: a wrong one is not the fault of a picture. */
function preparationOf({ fit = "crop", background = "#ffffff" }: ReadImages): Preparation {
  if (!["crop", "pad"].includes(fit)) refuseOption("fit", fit, '"crop" or "pad"');
  if (!/^#[\da-f]{6}$/i.test(background)) {
    refuseOption("background", background, 'six hexadecimal digits, e.g. "#ffffff" (white)');
  }
  return { fit, background: background.toLowerCase() };
}

/** Looks at files and decodes them in a worker or, if the page may not start one, on the page's thread. */
class Decoder implements PictureCalls {
  #engine: WorkerEngine<PictureCalls> | undefined;

  constructor() {
    try {
      this.#engine = new WorkerEngine(startOwn(ownTrainWorker));
    } catch (error) {
      if (!(error instanceof NoWorkerError)) throw error;
    }
  }

  kindOfPicture(file: Blob): Promise<string | null> {
    return this.#ask((calls) => calls.kindOfPicture(file));
  }

  decodePicture(picture: PictureRequest): Promise<DecodedPicture> {
    return this.#ask((calls) => calls.decodePicture(picture));
  }

  async #ask<T>(call: (calls: PictureCalls) => Promise<T>): Promise<T> {
    try {
      if (this.#engine) return await call(this.#engine.calls as PictureCalls);
    } catch (error) {
      if (!(error instanceof NoWorkerError)) throw error;
      this.#engine = undefined;
    }
    return call(await import("./train-picture.js"));
  }

  dispose(): void {
    this.#engine?.dispose();
  }
}

/** Refuses what does not fit, before anything is decoded. */
function refuse(count: number, classNames: string[], resolution: number, broken: string[]): Finding | null {
  if (count === 0) {
    const why = broken.length > 0 ? `: ${broken.length} of the files cannot be opened: ${listed(broken)}` : "";
    return fault("no pictures", `there is no picture${why}`, LAYOUT);
  }
  if (classNames.length > MOST_CLASSES) {
    return fault(
      "many classes",
      `there are ${classNames.length} classes (${listed(classNames)}), at most ${MOST_CLASSES} here`,
      "choose fewer folders; native-train takes thousands of classes",
    );
  }
  const bytes = count * resolution ** 2 * 3;
  if (bytes > MOST_DATA_BYTES) {
    const most = Math.floor(MOST_DATA_BYTES / (resolution ** 2 * 3));
    return fault(
      "many pictures",
      `${count} pictures of ${resolution}x${resolution} take ${Math.round(bytes / 1e6)} MB, at most ${MOST_DATA_BYTES / 1e6} MB here`,
      `give ${most} pictures or fewer, or a smaller resolution`,
    );
  }
  return null;
}

const LAYOUT = "give folders of PNG, JPEG or WebP pictures, one folder per class";

const fault = (kind: string, message: string, remedy: string): Finding => ({ severity: "fault", kind, message, remedy });
const note = (kind: string, message: string, remedy: string): Finding => ({ severity: "note", kind, message, remedy });
