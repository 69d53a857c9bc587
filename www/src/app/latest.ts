/** Runs a task for the newest request: while one runs, later requests replace each other. */
export class Latest<T> {
  readonly #task: (request: T) => Promise<void>;
  #running = false;
  #next: { request: T } | undefined;

  /** The task must not reject. */
  constructor(task: (request: T) => Promise<void>) {
    this.#task = task;
  }

  push(request: T): void {
    this.#next = { request };
    if (!this.#running) void this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    // one frame for the events of one gesture to come together
    await new Promise((resolve) => setTimeout(resolve, 16));
    while (this.#next) {
      const { request } = this.#next;
      this.#next = undefined;
      await this.#task(request);
    }
    this.#running = false;
  }
}
