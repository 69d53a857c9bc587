/** The header of a picture file, read before anything is decoded. */

export type PictureKind = "png" | "jpeg" | "webp";

export interface PictureHeader {
  kind: PictureKind;
  /** Width and height; null if they are not in the first bytes. */
  size: [number, number] | null;
  animated: boolean;
}

/** This many bytes contain the size, except in a JPEG with large metadata. */
export const HEADER_BYTES = 256 * 1024;

/** Null if it is neither PNG, JPEG nor WebP. */
export function readPictureHeader(start: Uint8Array<ArrayBuffer>): PictureHeader | null {
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  const text = (at: number, length: number) =>
    String.fromCharCode(...start.subarray(at, at + length));
  try {
    if (text(0, 8) === "\x89PNG\r\n\x1a\n") return png(view, text);
    if (start[0] === 0xff && start[1] === 0xd8 && start[2] === 0xff) return jpeg(view);
    if (text(0, 4) === "RIFF" && text(8, 4) === "WEBP") return webp(view, text);
  } catch (error) {
    // truncated: the decoder has a better message
    if (!(error instanceof RangeError)) throw error;
  }
  return null;
}

type Text = (at: number, length: number) => string;

/** PNG (third edition): IHDR is first; an animation has acTL before its first IDAT. */
function png(view: DataView, text: Text): PictureHeader {
  const size: [number, number] = [view.getUint32(16), view.getUint32(20)];
  let animated = false;
  for (let at = 8; at + 8 <= view.byteLength; at += 12 + view.getUint32(at)) {
    const chunk = text(at + 4, 4);
    if (chunk === "IDAT") break;
    animated ||= chunk === "acTL";
  }
  return { kind: "png", size, animated };
}

/** JPEG (ITU T.81 annex B): the first frame header, 0xffc0 to 0xffcf without DHT, JPG and DAC. */
function jpeg(view: DataView): PictureHeader {
  for (let at = 2; at + 9 <= view.byteLength; ) {
    if (view.getUint8(at) !== 0xff) break;
    const marker = view.getUint8(at + 1);
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      const size: [number, number] = [view.getUint16(at + 7), view.getUint16(at + 5)];
      return { kind: "jpeg", size, animated: false };
    }
    at += marker === 0xff ? 1 : 2 + view.getUint16(at + 2);
  }
  return { kind: "jpeg", size: null, animated: false };
}

/** WebP (RFC 9649): the extended, the lossless or the lossy form. */
function webp(view: DataView, text: Text): PictureHeader {
  const of = (width: number, height: number, animated: boolean): PictureHeader => ({
    kind: "webp",
    size: [width, height],
    animated,
  });
  const word24 = (at: number) => view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
  switch (text(12, 4)) {
    case "VP8X":
      return of(word24(24) + 1, word24(27) + 1, (view.getUint8(20) & 2) !== 0);
    case "VP8L": {
      const bits = view.getUint32(21, true);
      return of((bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1, false);
    }
    default:
      return of(view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff, false);
  }
}

/** How far from the end to search for the end marker: cameras and servers append data after it. */
const TRAILER_BYTES = 64 * 1024;
/** Browsers fill missing data with grey; a truncated picture is refused. */
const ENDS: Partial<Record<PictureKind, number[]>> = {
  png: [...new TextEncoder().encode("IEND")],
  jpeg: [0xff, 0xd9],
};

/** Whether a file has its end marker. */
export async function isWhole(file: Blob, kind: PictureKind): Promise<boolean> {
  const end = ENDS[kind];
  if (!end) return true;
  const tail = new Uint8Array(await file.slice(-TRAILER_BYTES).arrayBuffer());
  for (let at = tail.length - end.length; at >= 0; at--) {
    if (end.every((byte, i) => tail[at + i] === byte)) return true;
  }
  return false;
}
