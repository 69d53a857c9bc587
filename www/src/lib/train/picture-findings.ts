/**
 * Findings about how pictures become images: what is lost, filled in, or not meant as a picture. In the words and with
 * the bounds of `native-train data check` (dataset/check_pictures.rs).
 */

import { type Finding, type PictureFacts, some } from "./findings.js";
import type { Preparation } from "./protocol.js";

/** Pictures whose sides differ by this factor are far from square: half of them or more is cut off, or filled in. */
const FAR_FROM_SQUARE = 2;
/** Values below this are a quarter of the range or less: masks of classes, or values of 14 bits or fewer in 16. */
const DARK = 64;
/** Files of 16 bits that use no more than these were meant to be scaled first; others lose nothing that is seen. */
const FEW_BITS = 14;

/** Judges pictures for networks of a resolution. */
export function judgePictures(
  facts: readonly PictureFacts[],
  resolution: number,
  { fit, background }: Preparation,
): Finding[] {
  const find = (kind: string, picked: readonly PictureFacts[], what: string, remedy: string) =>
    some(picked, facts, kind, what, remedy);
  const such = (test: (fact: PictureFacts) => boolean) => facts.filter(test);
  const seen = ({ size }: PictureFacts) => (fit === "crop" ? Math.min(...size) : Math.max(...size));
  const ratio = ({ size }: PictureFacts) => Math.max(...size) / Math.min(...size);
  const first = (picked: PictureFacts[], of: (fact: PictureFacts) => number) =>
    picked.reduce((best, fact) => (of(fact) < of(best) ? fact : best), picked[0]!);

  const small = such((fact) => seen(fact) < resolution);
  const shape = such((fact) => ratio(fact) >= FAR_FROM_SQUARE);
  const deep = such(({ bitsOf16 }) => bitsOf16 !== null && bitsOf16 <= FEW_BITS);
  const dark = such(({ largest, constant }) => largest < DARK && !constant);
  const profiled = such(({ profile }) => profile !== null);
  const findings: Finding[] = [];
  if (small.length > 0) {
    const smallest = first(small, seen);
    const times = (resolution / seen(smallest)).toFixed(1);
    findings.push(
      ...find(
        "small",
        small,
        `are smaller than ${resolution}x${resolution}, the smallest ${smallest.size.join("x")} (enlarged ${times} times)`,
        "use a smaller resolution: enlarged pictures are blurred, and so will the samples be",
      ),
    );
  }
  if (shape.length > 0) {
    const farthest = first(shape, (fact) => -ratio(fact));
    const rest = (100 * (1 - 1 / ratio(farthest))).toFixed(0);
    const words =
      fit === "crop"
        ? `of which the crop loses ${rest} %`
        : `whose image is ${rest} % ${background} (the background)`;
    const other = fit === "crop" ? 'fit "pad" to keep all of them' : 'fit "crop"';
    findings.push(
      ...find(
        "shape",
        shape,
        `are far from square, such as ${farthest.size.join("x")}, ${words}`,
        `cut them to what matters, or choose ${other}`,
      ),
    );
  }
  findings.push(
    ...find(
      "transparent",
      such(({ transparent }) => transparent),
      `have transparent pixels, which become ${background} (the background)`,
      "choose another background if they are to stand out",
    ),
    ...find(
      "16 bits",
      deep,
      `have 16 bits a value, of which ${Math.max(...deep.map(({ bitsOf16 }) => bitsOf16 ?? 0))} are in use and the upper 8 are taken`,
      "scale their values to all 16 bits, or save 8 bits chosen for what is to be seen",
    ),
    ...find(
      "range",
      dark,
      `are nearly black: no value is above ${Math.max(...dark.map(({ largest }) => largest))} of 255`,
      "scale their values to 0 to 255, or take out masks of classes, which are not pictures",
    ),
    ...find(
      "animated",
      such(({ animated }) => animated),
      "are animations, of which only the first frame is used",
      "save the frames that are to be used as files of their own",
    ),
    ...find(
      "profile",
      profiled,
      `have a colour profile other than sRGB, such as ${JSON.stringify(profiled[0]?.profile)}, which is not applied`,
      "convert them to sRGB if their colours matter",
    ),
    ...find(
      "cmyk",
      such(({ cmyk }) => cmyk),
      "are stored in four inks (CMYK) and are converted without their profile",
      "convert them to RGB if their colours matter",
    ),
  );
  return findings;
}
