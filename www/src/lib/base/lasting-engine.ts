/** An engine that survives faults: its work is moved to a new engine. */

import { abortable } from "./abort.js";
import type { Backend, EngineOptions, Place, Running } from "./api.js";
import { type Choice, openBackend, openCpu, openGpu, type Opened } from "./backend.js";
import { FaultError } from "./engine.js";
import { BigGanError, kindOf, messageOf } from "./errors.js";
import type { CommonCalls } from "./protocol.js";
import { Queue } from "./queue.js";
import type { Starter } from "./starter.js";

/** A GPU that is lost twice within this time is replaced by the CPU; a GPU that is lost once a day is not. */
const STEADY_MS = 600_000;

/** The work of an engine: a model to sample, or a run to train. */
export interface Work<C> {
  /** Loads it into an engine. */
  place(calls: C): Promise<void>;
  /** The engine broke; another is being started. */
  onLost(): void;
  /** The other engine has the work. */
  onRestarted(): void;
}

export class LastingEngine<C extends CommonCalls> {
  readonly #queue = new Queue();
  /** Aborted by `dispose`. */
  readonly #end = new AbortController();
  readonly #start = (backend: Backend) => this.starter.start(backend);
  #work: Work<C> | undefined;
  #restarts = 0;
  #restartedAt = -Infinity;

  constructor(
    private opened: Opened<C>,
    private readonly starter: Pick<Starter<C>, "start" | "placeReason">,
  ) {}

  /** Opens the backend of the options; `onProgram` is called for each that is tried. */
  static async open<C extends CommonCalls>(
    { backend = "auto", signal }: EngineOptions,
    starter: Starter<C>,
    onProgram: (backend: Backend) => void,
  ): Promise<LastingEngine<C>> {
    const opening = openBackend(backend, (wanted) => {
      onProgram(wanted);
      return starter.start(wanted);
    });
    try {
      return new LastingEngine(await abortable(opening, signal), starter);
    } catch (cause) {
      // an engine that starts later is closed too
      opening.then(({ engine }) => engine.dispose()).catch(() => {});
      signal?.throwIfAborted();
      throw cause instanceof BigGanError ? cause : startError(cause, backend);
    }
  }

  get choice(): Choice {
    return this.opened.choice;
  }

  get place(): Place {
    return this.opened.engine.place;
  }

  get running(): Running {
    const { place, choice, starter } = this;
    return { ...choice, place, placeReason: starter.placeReason, restarts: this.#restarts };
  }

  /** Aborted by `dispose`, or by the caller. */
  signal(caller?: AbortSignal): AbortSignal {
    const { signal } = this.#end;
    signal.throwIfAborted();
    return caller ? AbortSignal.any([signal, caller]) : signal;
  }

  /** Loads the work into the engine; if an automatically chosen GPU fails at it, the CPU takes over. */
  async begin(work: Work<C>): Promise<void> {
    this.#work = work;
    try {
      await work.place(this.opened.engine.calls);
    } catch (error) {
      const fault = faultOf(error);
      if (!fault) throw error;
      const { backend, reason } = this.choice;
      if (backend === "cpu" || reason === "forced") throw faultError(fault);
      await this.moveToCpu({ reason: "start-failed", sentence: gpuFailed(fault) });
    }
  }

  /** Continues on the CPU. */
  async moveToCpu(why: Omit<Choice, "backend">): Promise<void> {
    try {
      await this.#replace(() => openCpu(this.#start, why));
    } catch (error) {
      this.#end.signal.throwIfAborted();
      throw faultError(error);
    }
  }

  /** Runs a task after the earlier ones. */
  run<T>(task: () => Promise<T>, signal = this.#end.signal): Promise<T> {
    return this.#queue.run(task, signal);
  }

  /** Makes calls, and repeats them in another engine after a fault, at most once on the CPU. */
  async ask<T>(request: (calls: C) => Promise<T>): Promise<T> {
    for (let repeatedOnCpu = false; ; ) {
      const { engine } = this.opened;
      try {
        if (engine.fault) throw engine.fault;
        return await request(engine.calls);
      } catch (error) {
        this.#end.signal.throwIfAborted();
        const fault = faultOf(error);
        if (!fault) throw error;
        if (repeatedOnCpu) throw faultError(fault);
        await this.#restart(fault);
        repeatedOnCpu = this.choice.backend === "cpu";
      }
    }
  }

  /** Rejects pending and future calls. */
  dispose(reason: BigGanError): void {
    this.#end.abort(reason);
    this.opened.engine.dispose();
  }

  /** The same backend in a new worker; after a second fault of the GPU the CPU. */
  async #restart(fault: FaultError): Promise<void> {
    const { choice } = this;
    const lost = { reason: "lost", sentence: gpuFailed(fault) } as const;
    this.#work?.onLost();
    if (choice.backend === "cpu") await this.moveToCpu(choice);
    else if (Date.now() - this.#restartedAt < STEADY_MS) await this.moveToCpu(lost);
    else {
      const again = async () => ({ engine: await openGpu(this.#start), choice });
      await this.#replace(again).catch(() => this.moveToCpu(lost));
    }
    this.#restarts += 1;
    this.#restartedAt = Date.now();
    this.#work?.onRestarted();
  }

  /** Replaces the engine by another, with the work loaded. */
  async #replace(open: () => Promise<Opened<C>>): Promise<void> {
    this.opened.engine.dispose();
    this.opened = await open();
    const { engine } = this.opened;
    if (this.#end.signal.aborted) engine.dispose();
    this.#end.signal.throwIfAborted();
    await this.#work?.place(engine.calls);
  }
}

/** The error as a fault of the engine, if it is one: the program trapped, or its device did not answer. */
export function faultOf(error: unknown): FaultError | undefined {
  if (error instanceof FaultError) return error;
  const broke = error instanceof WebAssembly.RuntimeError || kindOf(error) === "device";
  return broke ? new FaultError(messageOf(error)) : undefined;
}

/** The error when no engine starts. */
function startError(cause: unknown, backend: Backend | "auto"): BigGanError {
  const [code, remedy] =
    backend === "webgpu"
      ? (["unsupported", '; use the backend "auto" or "cpu"'] as const)
      : (["fault", ""] as const);
  return new BigGanError(code, `no backend started: ${messageOf(cause)}${remedy}`, { cause });
}

const gpuFailed = ({ message }: FaultError) => `WebGPU failed (${message})`;

const faultError = (cause: unknown) =>
  new BigGanError(
    "fault",
    `the engine failed, and starting it again did not help: ${messageOf(cause)}`,
    { cause },
  );
