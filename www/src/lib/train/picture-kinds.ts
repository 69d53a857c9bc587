/** Which files of a folder are pictures: the rules of `native-train` (docs/data.md, "Layouts", 4 and 5). */

/** Bytes at the start of a file that identify its kind. */
export const KIND_BYTES = 12;

const ENDINGS = /\.(png|jpe?g|webp)$/i;
/** Files and folders that systems leave; names that start so are hidden, or lock files of office programs. */
const OF_SYSTEMS =
  /^(__macosx|@eadir|thumbs\.db|ehthumbs\.db|desktop\.ini|\$recycle\.bin|system volume information|lost\+found)$/i;

export const isHidden = (name: string): boolean => /^(\.|~\$)/.test(name) || OF_SYSTEMS.test(name);

/** A picture by its name, which is refused or left out if it cannot be read. */
export const hasPictureEnding = (name: string): boolean => ENDINGS.test(name);

/** First bytes of pictures that are read. */
const READ = [/^\x89PNG\r\n\x1a\n/, /^\xff\xd8\xff/, /^RIFF.{4}WEBP/s];

/** First bytes of pictures that are not read, and their names. */
const OTHERS: [RegExp, string][] = [
  [/^GIF8[79]a/, "GIF"],
  [/^(II[*+]\0|MM\0[*+])/, "TIFF"],
  [/^8BPS/, "PSD"],
  [/^(\xff\n|\0\0\0\x0cJXL )/, "JPEG XL"],
  [/^\0\0\0\x0cjP {2}/, "JPEG 2000"],
  [/^v\/1\x01/, "OpenEXR"],
  [/^.{4}ftyp(hei[cxm]|hevc|mif1|msf1)/s, "HEIC"],
  [/^.{4}ftypavi[fs]/s, "AVIF"],
  [/^.{4}ftypcrx /s, "CR3"],
  // two letters tell little: the four reserved bytes of a bitmap's header are zero
  [/^BM.{4}\0{4}/s, "BMP"],
];

/** A picture that is read, the name of a kind that is not, or something else. */
export type Look = "picture" | "empty" | "other" | { kind: string };

/** Looks at the first bytes of a file whose name says nothing. */
export async function look(file: Blob): Promise<Look> {
  if (file.size === 0) return "empty";
  let start: string;
  try {
    const bytes = new Uint8Array(await file.slice(0, KIND_BYTES).arrayBuffer());
    start = String.fromCharCode(...bytes);
  } catch {
    return "other";
  }
  if (READ.some((first) => first.test(start))) return "picture";
  const kind = OTHERS.find(([first]) => first.test(start))?.[1];
  return kind ? { kind } : "other";
}
