/** A generator: the interface of this library. */

import { abortable, sleep } from "../base/abort.js";
import { bufferLimits } from "../base/adapter.js";
import type {
  Backend,
  DrawRequest,
  Generator,
  GeneratorInfo,
  GeneratorOptions,
  InterpolateRequest,
  ModelInfo,
  Picture,
  Running,
  Sample,
  SampleRequest,
  Samples,
  Truncation,
} from "./api.js";
import { type Choice, type Opened, openBackend, openCpu, openGpu, type Start } from "../base/backend.js";
import { FaultError } from "../base/engine.js";
import { BigGanError, messageOf } from "../base/errors.js";
import { Fit } from "./fit.js";
import { obtain, type Obtained } from "./model-source.js";
import { checkOptions } from "./options.js";
import { Starter } from "./starter.js";
import type { DrawCall, Drawn, Loaded } from "../base/protocol.js";
import { Queue } from "../base/queue.js";
import { checkPictures, checkTruncation, encode, picturesOf, waypointsOf } from "./request.js";
import { Slices } from "./slices.js";

/** Work between two looks at the abort signal, or at the page on the main thread. */
const SLICE_MS = { worker: 250, main: 40 };
/** Work between two pictures of a way. */
const WAY_MS = 40;
/**
 * The number of rows of a matrix product chooses its kernel, and with it the last bit of its sums: a channel may differ
 * by 1 of 255 with what is computed beside a picture. One row differs most often; up to this side a lone picture is
 * therefore computed in a pair, which is cheap.
 */
const MOST_SIDE_IN_PAIRS = 64;

/** Opens a backend, gets the model and puts it there. */
export async function createGenerator(options: GeneratorOptions): Promise<Generator> {
  checkOptions(options);
  const caller = options.signal;
  caller?.throwIfAborted();
  // ends the other half where one fails
  const failing = new AbortController();
  const signal = caller ? AbortSignal.any([caller, failing.signal]) : failing.signal;
  const onProgress = options.onProgress ?? (() => {});
  const wanted = options.backend ?? "auto";
  const starter = new Starter(options.worker ?? "auto");
  const fit = new Fit(wanted, bufferLimits);
  const opening = open(wanted, (backend) => {
    onProgress({ phase: "program", backend });
    return starter.start(backend);
  });
  let generator: EngineGenerator | undefined;
  try {
    const [opened, obtained] = await abortable(
      Promise.all([opening, obtain(options, { fit, signal, onProgress })]),
      signal,
    );
    generator = new EngineGenerator(opened, obtained, starter, options);
    await abortable(generator.load(fit), signal);
    return generator;
  } catch (error) {
    failing.abort(error);
    generator?.dispose();
    // one that comes up later ends too
    opening.then(({ engine }) => engine.dispose()).catch(() => {});
    throw error;
  }
}

async function open(wanted: Backend | "auto", start: Start): Promise<Opened> {
  try {
    return await openBackend(wanted, start);
  } catch (cause) {
    if (cause instanceof BigGanError) throw cause;
    throw wanted === "webgpu"
      ? new BigGanError("unsupported", `${messageOf(cause)}; use the backend "auto" or "cpu"`, {
          cause,
        })
      : new BigGanError("fault", `the CPU backend did not start: ${messageOf(cause)}`, { cause });
  }
}

class EngineGenerator implements Generator {
  readonly #queue = new Queue();
  /** Aborted by `dispose`. */
  readonly #end = new AbortController();
  #slices = new Slices();
  #loaded: Loaded | undefined;
  #memoryBytes = 0;
  #restarts = 0;

  constructor(
    private opened: Opened,
    private readonly obtained: Obtained,
    private readonly starter: Starter,
    private readonly options: GeneratorOptions,
  ) {}

  get info(): GeneratorInfo {
    return {
      model: this.#model,
      running: this.#running,
      modelId: this.obtained.id,
      modelBytes: this.obtained.bytes,
      memoryBytes: this.#memoryBytes,
    };
  }

  get #model(): ModelInfo {
    return this.#loaded!.info;
  }

  get #running(): Running {
    const { place, placeReason } = this.starter;
    return { ...this.opened.choice, place, placeReason, restarts: this.#restarts };
  }

  /** Puts the model on the device. */
  async load(fit: Fit): Promise<void> {
    const { onProgress = () => {} } = this.options;
    const { size } = this.obtained;
    const misfit = size && (await fit.misfit(size, this.opened.choice.backend));
    // a GPU that was asked for has refused the model before the download
    if (misfit) await this.#moveToCpu({ reason: "low-limits", sentence: misfit.message });
    onProgress({ phase: "prepare" });
    try {
      await this.#place();
    } catch (error) {
      if (!(error instanceof FaultError)) throw error;
      const chosen = this.opened.choice.reason !== "forced" && this.opened.choice.backend;
      if (chosen !== "webgpu") throw faultError(error);
      const sentence = `WebGPU failed to load the model (${error.message})`;
      await this.#moveToCpu({ reason: "start-failed", sentence });
      await this.#place();
    }
    onProgress({ phase: "ready", info: this.info });
  }

  async sample(request: SampleRequest): Promise<Samples> {
    const { truncation, signal } = request;
    const checked = checkTruncation(truncation, this.#model);
    return this.#drawAll(picturesOf(request, this.#model), checked, this.#signal(signal));
  }

  async draw({ pictures, truncation, signal }: DrawRequest): Promise<Samples> {
    const checked = checkTruncation(truncation, this.#model);
    checkPictures(pictures, this.#model);
    return this.#drawAll(pictures, checked, this.#signal(signal));
  }

  async *interpolate(request: InterpolateRequest): AsyncGenerator<Sample, void, void> {
    const truncation = checkTruncation(request.truncation, this.#model);
    const pictures = waypointsOf(request, this.#model);
    const signal = this.#signal(request.signal);
    for (let done = 0; done < pictures.length; ) {
      const slice = pictures.slice(done, done + this.#slices.next(WAY_MS));
      // other requests get their turn in between
      const drawn = await this.#queue.run(() => this.#drawSlice(slice, truncation), signal);
      yield* samplesOf(drawn, slice, truncation);
      done += slice.length;
    }
  }

  dispose(): void {
    this.#end.abort(new BigGanError("disposed", "the generator was disposed of; create another"));
    this.opened.engine.dispose();
  }

  #signal(caller: AbortSignal | undefined): AbortSignal {
    const { signal } = this.#end;
    signal.throwIfAborted();
    return caller ? AbortSignal.any([signal, caller]) : signal;
  }

  #drawAll(pictures: Picture[], truncation: Truncation, signal: AbortSignal): Promise<Samples> {
    return this.#queue.run(async () => {
      const all: Samples = { samples: [], elapsedMs: 0 };
      while (all.samples.length < pictures.length) {
        signal.throwIfAborted();
        const done = all.samples.length;
        const target = SLICE_MS[this.opened.engine.place];
        const slice = pictures.slice(done, done + this.#slices.next(target));
        const drawn = await this.#drawSlice(slice, truncation);
        all.samples.push(...samplesOf(drawn, slice, truncation));
        all.elapsedMs += drawn.elapsedMs;
      }
      return all;
    }, signal);
  }

  /** Draws a few pictures; after a fault again, at most once on each backend. */
  async #drawSlice(slice: Picture[], truncation: Truncation): Promise<Drawn> {
    const lone = slice.length === 1 && this.#model.resolution <= MOST_SIDE_IN_PAIRS;
    const drawn = lone ? [...slice, ...slice] : slice;
    const call: DrawCall = { pictures: encode(drawn), truncation };
    let repeatedOnCpu = false;
    for (;;) {
      const { engine } = this.opened;
      try {
        if (engine.fault) throw engine.fault;
        // on the main thread the page gets its turn
        if (engine.place === "main") await sleep(0);
        const answer = await engine.call("draw", call);
        this.#slices.learn(drawn.length, answer);
        this.#memoryBytes = answer.memoryBytes;
        return answer;
      } catch (error) {
        this.#end.signal.throwIfAborted();
        const fault = faultOf(error);
        if (!fault) throw new BigGanError("bad-request", messageOf(error), { cause: error });
        if (repeatedOnCpu) throw faultError(fault);
        await this.#restart(fault);
        repeatedOnCpu = this.opened.choice.backend === "cpu";
      }
    }
  }

  /** The same backend in a new worker; after a second fault of the GPU the CPU. The pictures of a seed stay. */
  async #restart(fault: FaultError): Promise<void> {
    const { engine, choice } = this.opened;
    engine.dispose();
    this.#slices = new Slices();
    const lost = { reason: "lost", sentence: `WebGPU failed (${fault.message})` } as const;
    try {
      if (choice.backend === "cpu") await this.#open(openCpu(this.#start, choice));
      else if (this.#restarts > 0) await this.#moveToCpu(lost);
      else {
        const again = openGpu(this.#start).then((engine) => ({ engine, choice }));
        await this.#open(again).catch(() => this.#moveToCpu(lost));
      }
      await this.#place();
    } catch (error) {
      this.#end.signal.throwIfAborted();
      throw faultError(error);
    }
    this.#restarts += 1;
    this.options.onRunning?.(this.#running);
  }

  readonly #start: Start = (backend) => this.starter.start(backend);

  async #moveToCpu(why: Omit<Choice, "backend">): Promise<void> {
    this.opened.engine.dispose();
    await this.#open(openCpu(this.#start, why));
  }

  async #open(opening: Promise<Opened>): Promise<void> {
    this.opened = await opening;
    if (!this.#end.signal.aborted) return;
    this.opened.engine.dispose();
    throw this.#end.signal.reason;
  }

  async #place(): Promise<void> {
    try {
      this.#loaded = await this.opened.engine.call("load", this.obtained.files);
    } catch (error) {
      throw faultOf(error) ?? new BigGanError("bad-model", messageOf(error), { cause: error });
    }
    this.#memoryBytes = this.#loaded.memoryBytes;
  }
}

/** The error as a fault of the device, if it is one. */
function faultOf(error: unknown): FaultError | undefined {
  if (error instanceof FaultError) return error;
  // the core's words for a device that did not answer
  const message = messageOf(error);
  return message.startsWith("device: ") ? new FaultError(message) : undefined;
}

const faultError = (cause: unknown) =>
  new BigGanError(
    "fault",
    `the engine failed, and starting it again did not help: ${messageOf(cause)}`,
    {
      cause,
    },
  );

function samplesOf({ side, rgba }: Drawn, pictures: Picture[], truncation: Truncation): Sample[] {
  const bytes = 4 * side * side;
  return pictures.map((picture, place) => ({
    image: new ImageData(rgba.slice(place * bytes, (place + 1) * bytes), side, side),
    picture,
    truncation,
  }));
}
