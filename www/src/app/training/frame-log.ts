/** The past of the sample grid in bounded memory: when it is full, every second frame goes. */

/** Most frames, and most bytes of all together. */
const MAX_FRAMES = 64;
const MAX_BYTES = 24e6;
/** So many stay even where they are large. */
const LEAST_FRAMES = 8;

/** The samples of the fixed latents at one moment: a sheet for each class. */
export interface Frame {
  gStep: number;
  /** Steps of D and G together, the axis of the curves. */
  updates: number;
  sheets: ImageData[];
}

export class FrameLog {
  #frames: Frame[] = [];
  /** Frames that came in for one that is kept. */
  #stride = 1;
  #taken = 0;

  /** All that are kept, oldest first; the last is the newest there was. */
  get frames(): readonly Frame[] {
    return this.#frames;
  }

  add(frame: Frame): void {
    // the newest is always there, and gives way unless it is one that stays
    if (this.#frames.length > 1 && !this.#stays(this.#taken - 1)) this.#frames.pop();
    this.#frames.push(frame);
    this.#taken += 1;
    if (this.#frames.length > mostFrames(frame)) this.#thin();
  }

  /** Forgets what lies after a place: training went back. */
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
