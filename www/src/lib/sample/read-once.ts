/**
 * A large file, read ahead by a worker: memory is given back as its bytes are read. A file of its own in the package,
 * fetched when it is needed.
 */

import { chunksOf } from "../base/chunks.js";

type Bytes = Uint8Array<ArrayBuffer>;

const PIECE_BYTES = 2 ** 20;

interface Piece {
  bytes: Bytes;
  /** Bytes that were not read yet. */
  left: number;
}

/** A part of a range that lies in one piece. */
interface Part {
  piece: Piece;
  /** Where it begins in the piece, and in the range. */
  from: number;
  place: number;
  length: number;
}

export class ReadOnce {
  readonly #pieces: Piece[] = [];
  /** What the last read returned. */
  #given = allocate(0);

  private constructor(private readonly file: Blob) {
    for (let at = 0; at < file.size; at += PIECE_BYTES) {
      const left = Math.min(PIECE_BYTES, file.size - at);
      this.#pieces.push({ bytes: allocate(left), left });
    }
  }

  static async open(file: Blob): Promise<ReadOnce> {
    const made = new ReadOnce(file);
    let at = 0;
    for await (const chunk of chunksOf(file.stream())) {
      for (const { piece, from, place, length } of made.#parts(at, at + chunk.length))
        piece.bytes.set(chunk.subarray(place, place + length), from);
      at += chunk.length;
    }
    return made;
  }

  /** Bytes of a range, which are gone when the next are read. */
  read(start: number, end: number): Bytes {
    free(this.#given);
    this.#given = allocate(end - start);
    for (const { piece, from, place, length } of this.#parts(start, end)) {
      const gone = piece.bytes.length === 0;
      const bytes = gone ? this.#again(start + place, length) : piece.bytes.subarray(from, from + length);
      this.#given.set(bytes, place);
      piece.left -= length;
      if (piece.left <= 0) free(piece.bytes);
    }
    return this.#given;
  }

  free(): void {
    for (const { bytes } of this.#pieces) free(bytes);
    free(this.#given);
  }

  /**
   * Bytes that were read before, from the file. `FileReaderSync` leaves its arrays, and its connections to the browser,
   * until garbage is collected: not for each read.
   */
  #again(at: number, length: number): Bytes {
    return new Uint8Array(new FileReaderSync().readAsArrayBuffer(this.file.slice(at, at + length)));
  }

  *#parts(start: number, end: number): Generator<Part> {
    for (let at = start; at < end; ) {
      const from = at % PIECE_BYTES;
      const length = Math.min(PIECE_BYTES - from, end - at);
      yield { piece: this.#pieces[(at - from) / PIECE_BYTES]!, from, place: at - start, length };
      at += length;
    }
  }
}

/** In workers only, so that it is not among TypeScript's types for pages. */
declare class FileReaderSync {
  readAsArrayBuffer(file: Blob): ArrayBuffer;
}

type Resizable = ArrayBuffer & { resize?(bytes: number): void };
const Resizable = ArrayBuffer as new (bytes: number, options: { maxByteLength: number }) => ArrayBuffer;

/** An array that can be freed at once; browsers before 2024 free it when they collect garbage. */
const allocate = (bytes: number): Bytes => new Uint8Array(new Resizable(bytes, { maxByteLength: bytes }));
const free = ({ buffer }: Bytes): void => (buffer as Resizable).resize?.(0);
