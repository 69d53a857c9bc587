/** An engine on the main thread, for pages that cannot start the worker. */

import type { Backend } from "./api.js";
import { type Engine, FaultError, Waitlist } from "../base/engine.js";
import { Instance, type LoadedModel } from "./instance.js";
import type { CallName, Calls, Handlers } from "../base/protocol.js";
import type { TrainCalls } from "../train/protocol.js";

/** The one instance of a build that a page can have: a module is evaluated once. */
class Shared {
  readonly users = new Set<MainEngine>();
  readonly instance: Promise<Instance>;
  fault: FaultError | undefined;

  constructor(backend: Backend) {
    this.instance = Instance.open(backend, (message) => this.break(message));
  }

  break(message: string): void {
    this.fault ??= new FaultError(message);
    for (const user of this.users) user.end(this.fault);
  }
}

const builds = new Map<Backend, Shared>();

function share(backend: Backend): Shared {
  const found = builds.get(backend);
  if (found) return found;
  const made = new Shared(backend);
  builds.set(backend, made);
  // a build that did not come may come next time
  made.instance.catch(() => builds.delete(backend));
  return made;
}

type Sampling = Exclude<CallName, "open" | keyof TrainCalls>;

export class MainEngine implements Engine {
  readonly place = "main";
  readonly #waitlist = new Waitlist();
  #model: LoadedModel | undefined;

  private constructor(
    readonly backend: Backend,
    private readonly shared: Shared,
    private readonly instance: Instance,
  ) {
    shared.users.add(this);
  }

  static async open(backend: Backend): Promise<MainEngine> {
    const shared = share(backend);
    const instance = await shared.instance;
    // only another page or a worker gets a fresh instance
    if (shared.fault) throw shared.fault;
    return new MainEngine(backend, shared, instance);
  }

  get fault(): FaultError | undefined {
    return this.#waitlist.end;
  }

  // a panic leaves its promise open: `end` rejects it
  call<K extends CallName>(call: K, input: Calls[K]["in"]): Promise<Calls[K]["out"]> {
    return this.#waitlist.add((id) => {
      const handler = this.#handlers[call as Sampling] as (
        input: unknown,
      ) => Promise<Calls[Sampling]["out"]>;
      handler(input).then(
        (value) => this.#waitlist.settle(id, { value }),
        (error) => {
          if (error instanceof WebAssembly.RuntimeError) this.shared.break(error.message);
          else this.#waitlist.settle(id, { error });
        },
      );
    });
  }

  end(reason: FaultError): void {
    this.#waitlist.close(reason);
  }

  dispose(): void {
    this.end(new FaultError("the engine was closed"));
    this.shared.users.delete(this);
    // what a fault left borrowed cannot be freed
    if (!this.shared.fault) this.#model?.free();
    this.#model = undefined;
  }

  readonly #handlers: Handlers<Sampling> = {
    selfTest: () => this.instance.selfTest(),
    load: async (files) => {
      this.#model = await this.instance.load(files);
      return this.#model.loaded;
    },
    draw: async (call) => {
      if (!this.#model) throw new Error("the engine has no model yet");
      return this.#model.draw(call);
    },
  };
}
