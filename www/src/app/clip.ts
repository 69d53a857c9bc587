/** Pictures as a video that plays there and back. A chunk of its own: it is fetched when a clip is wanted. */

import {
  BufferTarget,
  CanvasSource,
  getFirstEncodableVideoCodec,
  Mp4OutputFormat,
  Output,
  QUALITY_VERY_HIGH,
  WebMOutputFormat,
} from "mediabunny";
import { enlarged } from "./enlarge.js";
import { placeInLoop } from "./there-and-back.js";

/** Smaller pictures are enlarged: elsewhere they would be blurred. */
const LEAST_SIDE = 512;

/** The formats with their codecs, the most widely played first. */
const FORMATS = [
  { type: "video/mp4", ending: "mp4", make: () => new Mp4OutputFormat(), codecs: ["avc"] },
  { type: "video/webm", ending: "webm", make: () => new WebMOutputFormat(), codecs: ["vp9", "vp8", "av1"] },
] as const;

export interface Clip {
  file: Blob;
  /** Of the file's name. */
  ending: string;
}

/** `null` if the browser encodes none of the formats. */
export async function clipOf(images: readonly ImageData[], perSecond: number): Promise<Clip | null> {
  const [first] = images;
  if (!first) throw new Error("there are no pictures");
  const factor = factorFor(first.width);
  const canvas = new OffscreenCanvas(first.width * factor, first.height * factor);
  const context = canvas.getContext("2d");
  if (!context) throw new Error("the browser has no canvas");
  for (const { type, ending, make, codecs } of FORMATS) {
    const { width, height } = canvas;
    const codec = await getFirstEncodableVideoCodec([...codecs], { width, height, quality: QUALITY_VERY_HIGH });
    if (!codec) continue;
    const target = new BufferTarget();
    const output = new Output({ format: make(), target });
    const source = new CanvasSource(canvas, { codec, quality: QUALITY_VERY_HIGH });
    output.addVideoTrack(source, { frameRate: perSecond });
    await output.start();
    const frames = Math.max(1, 2 * (images.length - 1));
    for (let frame = 0; frame < frames; frame++) {
      const image = images[placeInLoop(frame, images.length)] ?? first;
      context.putImageData(enlarged(image, factor), 0, 0);
      await source.add(frame / perSecond, 1 / perSecond);
    }
    await output.finalize();
    if (target.buffer) return { file: new Blob([target.buffer], { type }), ending };
  }
  return null;
}

/** Codecs want an even side. */
function factorFor(side: number): number {
  const factor = Math.ceil(LEAST_SIDE / side);
  return (side * factor) % 2 === 0 ? factor : factor + 1;
}
