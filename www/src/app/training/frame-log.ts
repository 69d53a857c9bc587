/** Earlier sample grids in bounded memory: when it is full, every second frame is dropped. */

/** Most frames, and most bytes in total. */
const MAX_FRAMES = 64;
const MAX_BYTES = 24e6;
/** At least this many stay, even if they are large. */
const LEAST_FRAMES = 8;

/** The samples of the fixed latents at one moment: one sheet per class. */
export interface Frame {
  gStep: number;
  /** Steps of D and G together, the axis of the curves. */
  updates: number;
  sheets: ImageData[];
}

export class FrameLog {
  #frames: Frame[] = [];
  /** Frames received per frame kept. */
  #stride = 1;
  #taken = 0;

  /** All kept frames, oldest first; the newest is always kept. */
  get frames(): readonly Frame[] {
    return this.#frames;
  }

  add(frame: Frame): void {
    // the newest is always there, and is replaced unless it is one that stays
    if (this.#frames.length > 1 && !this.#stays(this.#taken - 1)) this.#frames.pop();
    this.#frames.push(frame);
    this.#taken += 1;
    if (this.#frames.length > mostFrames(frame)) this.#thin();
  }

  /** Forgets everything after a position: training went back. */
  cutAfter(updates: number): void {
    this.#frames = this.#frames.filter((frame) => frame.updates <= updates);
    this.#taken = Math.max(0, this.#frames.length - 1) * this.#stride + Math.min(1, this.#frames.length);
  }

  clear(): void {
    this.#frames = [];
    this.#stride = 1;
    this.#taken = 0;
  }

  #stays(number: number): boolean {
    return number % this.#stride === 0;
  }

  /** The first frame stays: it shows where training began. */
  #thin(): void {
    const last = this.#frames.length - 1;
    this.#frames = this.#frames.filter((_, index) => index % 2 === 0 || index === last);
    this.#stride *= 2;
  }
}

function mostFrames({ sheets }: Frame): number {
  const bytes = sheets.reduce((sum, sheet) => sum + sheet.data.length, 0);
  return Math.min(MAX_FRAMES, Math.max(LEAST_FRAMES, Math.floor(MAX_BYTES / Math.max(1, bytes))));
}
