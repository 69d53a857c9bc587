/** The wasm build that decodes pictures, and the part of its interface that this package uses. */

/** A decoded picture as a square image; facts are of the picture. */
export interface WasmSquare {
  readonly width: number;
  readonly height: number;
  readonly grey: boolean;
  readonly constant: boolean;
  readonly largest: number;
  readonly transparent: boolean;
  readonly bitsOf16: number | undefined;
  readonly animated: boolean;
  readonly cmyk: boolean;
  readonly profile: string | undefined;
  /** RGB bytes, row by row. */
  rgb(): Uint8Array;
  free(): void;
}

export interface PictureProgram {
  Square: new (file: Uint8Array, resolution: number, fit: string, background: string) => WasmSquare;
  /** "picture", the name of another kind, or nothing. */
  kindOf(start: Uint8Array): string | undefined;
  kindBytes(): number;
  mostFileBytes(): number;
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
