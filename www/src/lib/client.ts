/** A generator in a worker: the interface of this library. */

import { type Choice, openBackend, openCpu, type Opened } from "./backend.js";
import { download, type OnProgress } from "./download.js";
import { FaultError } from "./engine.js";
import type { Backend, ModelInfo, SampleRequest, Samples } from "./protocol.js";

export interface GeneratorOptions {
  /** Address of the model file. */
  model: string | URL;
  /** `auto` is the GPU where it is real and right, else the CPU. */
  backend?: Backend | "auto";
  onProgress?: OnProgress;
  /** Called when the backend changes later, because the GPU was lost. */
  onChoice?: (choice: Choice) => void;
}

export interface Generator {
  readonly info: ModelInfo;
  readonly choice: Choice;
  sample(request: SampleRequest): Promise<Samples>;
  dispose(): void;
}

export async function createGenerator(options: GeneratorOptions): Promise<Generator> {
  const [opened, file] = await settleBoth(
    openBackend(options.backend ?? "auto"),
    download(options.model, options.onProgress),
  );
  try {
    const info = await opened.engine.call("load", { file });
    return new WorkerGenerator(info, opened, file, options);
  } catch (error) {
    opened.engine.dispose();
    throw error;
  }
}

/** Waits for both, so that a failed download leaves no worker behind. */
async function settleBoth<T>(opening: Promise<Opened>, other: Promise<T>): Promise<[Opened, T]> {
  const [opened, result] = await Promise.allSettled([opening, other]);
  if (opened.status === "rejected") throw opened.reason;
  if (result.status === "rejected") {
    opened.value.engine.dispose();
    throw result.reason;
  }
  return [opened.value, result.value];
}

class WorkerGenerator implements Generator {
  constructor(
    readonly info: ModelInfo,
    private opened: Opened,
    private readonly file: Uint8Array<ArrayBuffer>,
    private readonly options: GeneratorOptions,
  ) {}

  get choice(): Choice {
    return this.opened.choice;
  }

  async sample(request: SampleRequest): Promise<Samples> {
    try {
      return await this.opened.engine.call("sample", request);
    } catch (error) {
      if (!(error instanceof FaultError) || this.choice.backend === "cpu") throw error;
      await this.#moveToCpu(error);
      return this.opened.engine.call("sample", request);
    }
  }

  dispose(): void {
    this.opened.engine.dispose();
  }

  /** A GPU can go away at any time; the pictures of a seed stay. */
  async #moveToCpu(fault: FaultError): Promise<void> {
    this.opened.engine.dispose();
    this.opened = await openCpu({ reason: "lost", sentence: `WebGPU failed (${fault.message})` });
    await this.opened.engine.call("load", { file: this.file });
    this.options.onChoice?.(this.choice);
  }
}
