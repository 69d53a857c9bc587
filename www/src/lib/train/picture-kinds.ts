/** Which files of a folder are pictures: the rules of `native-train` (docs/data.md, "Layouts", 4 and 5). */

import type { Zipped } from "./zipped.js";

const ENDINGS = /\.(png|jpe?g|webp)$/i;
/** Files and folders that systems leave; names that start so are hidden, or lock files of office programs. */
const OF_SYSTEMS =
  /^(__macosx|@eadir|thumbs\.db|ehthumbs\.db|desktop\.ini|\$recycle\.bin|system volume information|lost\+found)$/i;

export const isHidden = (name: string): boolean => /^(\.|~\$)/.test(name) || OF_SYSTEMS.test(name);

/** A picture by its name, which is refused or left out if it cannot be read. */
export const hasPictureEnding = (name: string): boolean => ENDINGS.test(name);

/** A zip, which is read where it was given by itself. */
export const isZip = (name: string): boolean => /\.zip$/i.test(name);

/** What the first bytes of a file say: a picture that is read, the name of another kind, or nothing that is known. */
export type KindOf = (file: Blob | Zipped) => Promise<"picture" | (string & {}) | null>;
