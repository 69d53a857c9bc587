/** Draws what galleries expect: the newest request wins, and pictures are shown as they arrive. */

import type { Generator } from "../lib/index.js";
import { type DrawnCache, keyOf } from "./drawn.js";
import type { Filling, Gallery } from "./gallery.js";
import type { Shot } from "./scene.js";

/** Number of pictures computed, and the time they took. */
export interface Work {
  count: number;
  elapsedMs: number;
}

/** A request takes about this long, so that a slow model shows pictures one after another. */
const REQUEST_MS = 250;
/** A guess before the first picture, which is asked for alone: so it is there soonest. */
const FIRST_MS_PER_PICTURE = REQUEST_MS;

/** A place for a picture. */
interface Wanted {
  gallery: Gallery;
  index: number;
  shot: Shot;
}

/** A picture to compute, and the places that wait for it. */
interface Missing {
  shot: Shot;
  places: Wanted[];
}

export interface PainterEvents {
  onWork(work: Work): void;
  onError(error: unknown): void;
  /** All pictures have arrived. */
  onDone(): void;
}

export class Painter {
  readonly #cache: DrawnCache;
  readonly #events: PainterEvents;
  #generator: Generator | undefined;
  #msPerPicture = FIRST_MS_PER_PICTURE;
  #next: Gallery[] | undefined;
  #running = false;

  constructor(cache: DrawnCache, events: PainterEvents) {
    this.#cache = cache;
    this.#events = events;
  }

  set generator(generator: Generator) {
    this.#generator = generator;
    this.#msPerPicture = FIRST_MS_PER_PICTURE;
  }

  /** Draws the shots of the galleries; an earlier call is abandoned. */
  paint(galleries: Gallery[]): void {
    this.#next = galleries;
    for (const gallery of galleries) gallery.busy = true;
    if (!this.#running) void this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    // wait one frame, to batch the events of a gesture
    await new Promise((resolve) => setTimeout(resolve, 16));
    while (this.#next) {
      const galleries = this.#next;
      this.#next = undefined;
      try {
        if (await this.#paint(galleries)) this.#events.onDone();
      } catch (error) {
        if (!this.#next) this.#events.onError(error);
      }
      if (!this.#next) for (const gallery of galleries) gallery.busy = false;
    }
    this.#running = false;
  }

  /** Whether all were drawn: false if another request arrived. */
  async #paint(galleries: Gallery[]): Promise<boolean> {
    const generator = this.#generator;
    if (!generator) return false;
    const wanted = galleries.flatMap((gallery) =>
      gallery.shots.map((shot, index): Wanted => ({ gallery, index, shot })),
    );
    this.#cache.shown = wanted.length;
    await this.#show(wanted.filter(({ shot }) => this.#cache.get(shot)));
    let missing = this.#missing(wanted);
    const work: Work = { count: 0, elapsedMs: 0 };
    while (missing.length > 0) {
      if (this.#next) return false;
      const batch = this.#batch(missing);
      const [first] = batch;
      const { samples, elapsedMs } = await generator.draw({
        pictures: batch.map(({ shot }) => shot.picture),
        truncation: first?.shot.truncation ?? null,
      });
      // the model changed meanwhile: these are pictures of the old model
      if (generator !== this.#generator) return false;
      batch.forEach(({ shot }, at) => {
        const sample = samples[at];
        if (sample) this.#cache.add(shot, sample.image);
      });
      this.#msPerPicture = elapsedMs / batch.length;
      work.count += batch.length;
      work.elapsedMs += elapsedMs;
      await this.#show(batch.flatMap(({ places }) => places));
      missing = missing.filter((one) => !batch.includes(one));
    }
    if (work.count > 0) this.#events.onWork(work);
    return true;
  }

  /** Each picture once, even if several places want it. */
  #missing(wanted: Wanted[]): Missing[] {
    const missing = new Map<string, Missing>();
    for (const place of wanted) {
      const { shot } = place;
      if (this.#cache.get(shot)) continue;
      const found = missing.get(keyOf(shot));
      if (found) found.places.push(place);
      else missing.set(keyOf(shot), { shot, places: [place] });
    }
    return [...missing.values()];
  }

  /** The next pictures of one truncation, as many as fit a request's time. */
  #batch(missing: Missing[]): Missing[] {
    const truncation = missing[0]?.shot.truncation;
    const size = Math.max(1, Math.floor(REQUEST_MS / this.#msPerPicture));
    return missing.filter(({ shot }) => shot.truncation === truncation).slice(0, size);
  }

  async #show(ready: Wanted[]): Promise<void> {
    const fills = new Map<Gallery, Filling[]>();
    for (const { gallery, index, shot } of ready) {
      const drawn = this.#cache.get(shot);
      if (!drawn) continue;
      fills.set(gallery, [...(fills.get(gallery) ?? []), { index, shot, drawn }]);
    }
    await Promise.all([...fills].map(([gallery, fill]) => gallery.fill(fill)));
  }
}
