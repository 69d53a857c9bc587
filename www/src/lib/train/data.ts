/** Images to train on, from the user's pictures. */

import { FaultError, NoWorkerError } from "../base/engine.js";
import { messageOf } from "../base/errors.js";
import { startOwn } from "../base/starter.js";
import { WorkerEngine } from "../base/worker-engine.js";
import type { TrainingData } from "./api.js";
import { type Finding, judge, listed, type PictureFacts, type ReadData } from "./findings.js";
import { ownTrainWorker } from "./own-worker.js";
import type { DecodedPicture, PictureCalls, PictureRequest } from "./protocol.js";
import { trainingData } from "./training-data.js";

/** Most classes in the browser: each needs its own pictures in the grid. */
export const MOST_CLASSES = 36;
/** Most bytes of pixels: they are held twice, by the page and by the worker. */
const MOST_DATA_BYTES = 400e6;

/** A file with its path, whose last folder is the class: `shoes/boots/1.png` is a boot. */
export interface PictureFile {
  path: string;
  file: Blob;
}

export interface ReadImages {
  files: PictureFile[];
  resolution: TrainingData["resolution"];
  signal?: AbortSignal | undefined;
  onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Decodes and resizes pictures in a worker; nothing leaves the browser. */
export async function readImages(request: ReadImages): Promise<ReadData> {
  const { files, resolution, signal, onProgress = () => {} } = request;
  const pictures = files
    .filter(({ path }) => !isHidden(path))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  const classNames = [...new Set(pictures.map(({ path }) => classOf(path)))].sort();
  const refusal = refuse(pictures, classNames, resolution);
  if (refusal) return { data: null, findings: [refusal] };

  const read: { place: number; decoded: DecodedPicture }[] = [];
  const broken: string[] = [];
  const decoder = new Decoder();
  try {
    for (const [place, { path, file }] of pictures.entries()) {
      signal?.throwIfAborted();
      try {
        read.push({ place, decoded: await decoder.decode({ file, resolution }) });
      } catch (error) {
        if (error instanceof FaultError) throw error;
        broken.push(`${path}: ${messageOf(error)}`);
      }
      onProgress(place + 1, pictures.length);
    }
  } finally {
    decoder.dispose();
  }
  if (read.length === 0) {
    const message = `none of ${pictures.length} files is a picture: ${listed(broken)}`;
    return { data: null, findings: [noPictures(message)] };
  }

  const facts = read.map(({ place, decoded: { size, grey, constant, digest } }): PictureFacts => {
    const { path } = pictures[place]!;
    return { class: classOf(path), path, size, grey, constant, digest };
  });
  const used = classNames.filter((name) => facts.some((fact) => fact.class === name));
  const pixels = new Uint8Array(read.length * resolution ** 2 * 3);
  read.forEach(({ decoded }, i) => pixels.set(decoded.rgba, i * resolution ** 2 * 3));
  const labels = Uint16Array.from(facts, (fact) => used.indexOf(fact.class));
  const data = await trainingData(rootOf(pictures), resolution, used, labels, pixels);
  const findings = judge(facts, resolution);
  if (broken.length > 0) {
    findings.unshift({
      severity: "warning",
      kind: "unreadable",
      message: `${broken.length} of ${pictures.length} files are left out: ${listed(broken)}`,
      remedy: "repair them, or continue without them",
    });
  }
  return { data, findings };
}

/** Decodes in a worker or, if the page may not start one, on the page's thread. */
class Decoder {
  #engine: WorkerEngine<PictureCalls> | undefined;

  constructor() {
    try {
      this.#engine = new WorkerEngine(startOwn(ownTrainWorker));
    } catch (error) {
      if (!(error instanceof NoWorkerError)) throw error;
    }
  }

  async decode(picture: PictureRequest): Promise<DecodedPicture> {
    try {
      if (this.#engine) return await this.#engine.calls.decodePicture(picture);
    } catch (error) {
      if (!(error instanceof NoWorkerError)) throw error;
      this.#engine = undefined;
    }
    const { decodePicture } = await import("./train-picture.js");
    return decodePicture(picture);
  }

  dispose(): void {
    this.#engine?.dispose();
  }
}

function refuse(files: PictureFile[], classNames: string[], resolution: number): Finding | null {
  if (files.length === 0) {
    return noPictures("there is no file");
  }
  if (classNames.length > MOST_CLASSES) {
    return {
      severity: "fault",
      kind: "many classes",
      message: `there are ${classNames.length} classes (${listed(classNames)}), at most ${MOST_CLASSES} here`,
      remedy: "choose fewer folders; native-train takes thousands of classes",
    };
  }
  const bytes = files.length * resolution ** 2 * 3;
  if (bytes > MOST_DATA_BYTES) {
    const most = Math.floor(MOST_DATA_BYTES / (resolution ** 2 * 3));
    return {
      severity: "fault",
      kind: "many pictures",
      message: `${files.length} pictures of ${resolution}x${resolution} take ${Math.round(bytes / 1e6)} MB, at most ${MOST_DATA_BYTES / 1e6} MB here`,
      remedy: `give ${most} pictures or fewer, or a smaller resolution`,
    };
  }
  return null;
}

const noPictures = (message: string): Finding => ({
  severity: "fault",
  kind: "no pictures",
  message,
  remedy: "give folders of PNG, JPEG or WebP pictures, one folder per class",
});

const partsOf = (path: string) => path.split("/").filter(Boolean);

/** Files that systems leave in folders. */
const isHidden = (path: string) => partsOf(path).some((part) => /^(\.|__MACOSX$|Thumbs\.db$)/.test(part));

const classOf = (path: string) => partsOf(path).at(-2) ?? "pictures";

/** The folder that all files lie in, for a name. */
function rootOf(files: PictureFile[]): string {
  const [first] = partsOf(files[0]!.path);
  const common = files.every(({ path }) => partsOf(path).length > 2 && partsOf(path)[0] === first);
  return common && first ? first : "pictures";
}
