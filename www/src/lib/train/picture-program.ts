/** The wasm build that decodes pictures, and the part of its interface that this package uses. */

/** A decoded picture, cropped to a square and resized. */
interface WasmSquare {
  /** Before it was cropped. */
  readonly width: number;
  readonly height: number;
  /** RGB bytes, row by row. */
  rgb(): Uint8Array;
  free(): void;
}

export interface PictureProgram {
  Square: new (file: Uint8Array, resolution: number) => WasmSquare;
}

let loaded: Promise<PictureProgram> | undefined;

/** Fetches the build once; after a failure, again. */
export function loadPictures(): Promise<PictureProgram> {
  loaded ??= load();
  loaded.catch(() => (loaded = undefined));
  return loaded;
}

async function load(): Promise<PictureProgram> {
  const program = await import("../../../pkg/pictures/biggan_web.js");
  await program.default();
  return program;
}
