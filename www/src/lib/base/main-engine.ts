/** An engine on the main thread, for pages that cannot start the worker. */

import { sleep } from "./abort.js";
import type { Backend } from "./api.js";
import { Engine, FaultError } from "./engine.js";
import type { Answers, Side } from "./protocol.js";

/** The one instance of a build that a page can have: a module is evaluated once. */
class Shared<C> {
  readonly users = new Set<Engine<C>>();
  readonly opening: Promise<() => Answers<C>>;
  fault: FaultError | undefined;

  constructor(side: Side<C>, backend: Backend) {
    this.opening = side.open(backend, (message) => this.break(message));
  }

  break(message: string): void {
    this.fault ??= new FaultError(message);
    for (const user of this.users) user.close(this.fault);
  }
}

/** By name. */
const builds = new Map<string, Shared<any>>();

export class MainEngine<C> extends Engine<C> {
  readonly place = "main";
  /** The pending call; it stays open after a panic. */
  #work: Promise<void> = Promise.resolve();

  private constructor(
    private readonly shared: Shared<C>,
    private readonly answers: Answers<C>,
  ) {
    super();
    shared.users.add(this);
  }

  static async open<C>(side: Side<C>, backend: Backend): Promise<MainEngine<C>> {
    const name = `${side.name}-${backend}`;
    let shared: Shared<C> | undefined = builds.get(name);
    if (!shared) {
      builds.set(name, (shared = new Shared(side, backend)));
      // a failed fetch may succeed next time
      shared.opening.catch(() => builds.delete(name));
    }
    const answer = await shared.opening;
    // only another page or a worker gets a fresh instance
    if (shared.fault) throw shared.fault;
    return new MainEngine(shared, answer());
  }

  override dispose(): void {
    super.dispose();
    this.shared.users.delete(this);
    // objects borrowed by a call or a fault cannot be freed
    this.#then(() => {
      if (!this.shared.fault) this.answers.free();
    });
  }

  protected override send(id: number, call: string, input: unknown): void {
    this.#then(async () => {
      // yield to the page
      await sleep(0);
      if (this.fault) return;
      try {
        this.settle(id, { value: await (this.answers as any)[call](input) });
      } catch (error) {
        if (error instanceof WebAssembly.RuntimeError) this.shared.break(error.message);
        else this.settle(id, { error });
      }
    });
  }

  #then(task: () => void | Promise<void>): void {
    this.#work = this.#work.then(task);
  }
}
