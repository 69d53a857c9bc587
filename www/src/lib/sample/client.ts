/** A generator: the interface of this library. */

import { abortable } from "../base/abort.js";
import { bufferLimits } from "../base/adapter.js";
import { BigGanError, messageOf } from "../base/errors.js";
import { faultOf, LastingEngine } from "../base/lasting-engine.js";
import { guarded, tell } from "../base/listener.js";
import type { OwnWorker } from "../base/own-worker.js";
import { Starter } from "../base/starter.js";
import type {
  DrawRequest,
  Generator,
  GeneratorInfo,
  GeneratorOptions,
  InterpolateRequest,
  LoadProgress,
  ModelInfo,
  Picture,
  Sample,
  SampleRequest,
  Samples,
  Truncation,
} from "./api.js";
import { Fit } from "./fit.js";
import { obtain, type Obtained } from "./model-source.js";
import { checkOptions } from "./options.js";
import type { DrawCall, Drawn, Loaded, SampleCalls } from "./protocol.js";
import { checkPictures, checkTruncation, encode, picturesOf, waypointsOf } from "./request.js";
import { sampling } from "./sampling.js";
import { Slices } from "./slices.js";

/** Work between two checks of the abort signal, or two yields to the page on the main thread. */
const SLICE_MS = { worker: 250, main: 40 };
/** Work between two pictures of an interpolation. */
const WAY_MS = 40;
/**
 * The number of rows of a matrix product determines its kernel, and so the last bit of its sums: a channel may differ
 * by 1 of 255 depending on what is computed with a picture. A single row differs most often on a GPU; up to this side a
 * lone picture is therefore computed in a pair there, which is cheap. On the CPU it would take twice the time.
 */
const MOST_SIDE_IN_PAIRS = 64;

const ownWorker: OwnWorker = {
  file: "worker.js",
  start: () => new Worker(new URL("./worker.js", import.meta.url), { type: "module" }),
};

/** Opens a backend, fetches the model and loads it there. */
export async function createGenerator(options: GeneratorOptions): Promise<Generator> {
  checkOptions(options);
  const caller = options.signal;
  caller?.throwIfAborted();
  // aborts the other half if one fails
  const failing = new AbortController();
  const signal = caller ? AbortSignal.any([caller, failing.signal]) : failing.signal;
  const onProgress = guarded(options.onProgress, failing);
  const wanted = options.backend ?? "auto";
  const starter = new Starter(sampling, ownWorker, options.worker);
  const fit = new Fit(wanted, bufferLimits);
  const opening = LastingEngine.open({ backend: wanted, signal }, starter, (backend) =>
    onProgress({ phase: "program", backend }),
  );
  try {
    const [engine, obtained] = await abortable(
      Promise.all([opening, obtain(options, { fit, signal, onProgress })]),
      signal,
    );
    const generator = new EngineGenerator(engine, obtained, options);
    await abortable(generator.load(fit, onProgress), signal);
    return generator;
  } catch (error) {
    failing.abort(error);
    opening.then((engine) => engine.dispose(disposed())).catch(() => {});
    throw error;
  }
}

const disposed = () =>
  new BigGanError("disposed", "the generator was disposed of; create another");

class EngineGenerator implements Generator {
  #slices = new Slices();
  #loaded: Loaded | undefined;
  #memoryBytes = 0;

  constructor(
    private readonly engine: LastingEngine<SampleCalls>,
    private readonly obtained: Obtained,
    private readonly options: GeneratorOptions,
  ) {}

  get info(): GeneratorInfo {
    return {
      model: this.#model,
      running: this.engine.running,
      modelId: this.obtained.id,
      modelBytes: this.obtained.bytes,
      memoryBytes: this.#memoryBytes,
    };
  }

  get #model(): ModelInfo {
    return this.#loaded!.info;
  }

  /** Loads the model onto the device. */
  async load(fit: Fit, onProgress: (progress: LoadProgress) => void): Promise<void> {
    const { size } = this.obtained;
    const misfit = size && (await fit.misfit(size, this.engine.choice.backend));
    // an explicitly chosen GPU has refused the model before the download
    if (misfit) await this.engine.moveToCpu({ reason: "low-limits", sentence: misfit.message });
    onProgress({ phase: "prepare" });
    await this.engine.begin({
      place: (calls) => this.#place(calls),
      onLost: () => {
        this.#slices = new Slices();
      },
      onRestarted: () => tell(this.options.onRunning, this.engine.running),
    });
    onProgress({ phase: "ready", info: this.info });
  }

  async sample(request: SampleRequest): Promise<Samples> {
    const { truncation, signal } = request;
    const checked = checkTruncation(truncation, this.#model);
    return this.#drawAll(picturesOf(request, this.#model), checked, this.engine.signal(signal));
  }

  async draw({ pictures, truncation, signal }: DrawRequest): Promise<Samples> {
    const checked = checkTruncation(truncation, this.#model);
    checkPictures(pictures, this.#model);
    return this.#drawAll(pictures, checked, this.engine.signal(signal));
  }

  async *interpolate(request: InterpolateRequest): AsyncGenerator<Sample, void, void> {
    const truncation = checkTruncation(request.truncation, this.#model);
    const pictures = waypointsOf(request, this.#model);
    const signal = this.engine.signal(request.signal);
    for (let done = 0; done < pictures.length; ) {
      const slice = pictures.slice(done, done + this.#slices.next(WAY_MS));
      // other requests may run in between
      const drawn = await this.engine.run(() => this.#drawSlice(slice, truncation), signal);
      yield* samplesOf(drawn, slice, truncation);
      done += slice.length;
    }
  }

  dispose(): void {
    this.engine.dispose(disposed());
  }

  #drawAll(pictures: Picture[], truncation: Truncation, signal: AbortSignal): Promise<Samples> {
    return this.engine.run(async () => {
      const all: Samples = { samples: [], elapsedMs: 0 };
      while (all.samples.length < pictures.length) {
        signal.throwIfAborted();
        const done = all.samples.length;
        const target = SLICE_MS[this.engine.place];
        const slice = pictures.slice(done, done + this.#slices.next(target));
        const drawn = await this.#drawSlice(slice, truncation);
        all.samples.push(...samplesOf(drawn, slice, truncation));
        all.elapsedMs += drawn.elapsedMs;
      }
      return all;
    }, signal);
  }

  /** Draws a few pictures. */
  async #drawSlice(slice: Picture[], truncation: Truncation): Promise<Drawn> {
    const isSmall = this.#model.resolution <= MOST_SIDE_IN_PAIRS;
    const inPair = slice.length === 1 && isSmall && this.engine.choice.backend === "webgpu";
    const drawn = inPair ? [...slice, ...slice] : slice;
    const call: DrawCall = { pictures: encode(drawn), truncation };
    try {
      const answer = await this.engine.ask((calls) => calls.draw(call));
      this.#slices.learn(drawn.length, answer);
      this.#memoryBytes = answer.memoryBytes;
      return answer;
    } catch (cause) {
      this.engine.signal();
      if (cause instanceof BigGanError) throw cause;
      throw new BigGanError("bad-request", messageOf(cause), { cause });
    }
  }

  async #place(calls: SampleCalls): Promise<void> {
    try {
      this.#loaded = await calls.load(this.obtained.files);
    } catch (cause) {
      throw faultOf(cause) ?? new BigGanError("bad-model", messageOf(cause), { cause });
    }
    this.#memoryBytes = this.#loaded.memoryBytes;
  }
}

function samplesOf({ side, rgba }: Drawn, pictures: Picture[], truncation: Truncation): Sample[] {
  const bytes = 4 * side * side;
  return pictures.map((picture, place) => ({
    image: new ImageData(rgba.slice(place * bytes, (place + 1) * bytes), side, side),
    picture,
    truncation,
  }));
}
