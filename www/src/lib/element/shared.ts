/** Generators that several elements of a page share. */

import type { Generator, GeneratorOptions, LoadProgress } from "../sample/api.js";
import { createGenerator } from "../sample/client.js";

type SharedOptions = Pick<GeneratorOptions, "backend" | "sha256" | "worker"> & { model: string };
type OnProgress = (progress: LoadProgress) => void;

interface Shared {
  generator: Promise<Generator>;
  users: Set<OnProgress>;
  ending: AbortController;
}

export interface Lease {
  generator: Promise<Generator>;
  /** The last element to leave ends the worker. */
  release(): void;
}

const generators = new Map<string, Shared>();

export function lease(options: SharedOptions, onProgress: OnProgress): Lease {
  const { model, backend, sha256 } = options;
  const key = JSON.stringify([model, backend, sha256]);
  const shared = generators.get(key) ?? make(key, options);
  shared.users.add(onProgress);
  return {
    generator: shared.generator,
    release() {
      shared.users.delete(onProgress);
      // a moved element disconnects and reconnects at once
      setTimeout(() => {
        if (shared.users.size === 0) end(key, shared);
      });
    },
  };
}

function make(key: string, options: SharedOptions): Shared {
  const users = new Set<OnProgress>();
  const ending = new AbortController();
  const generator = createGenerator({
    ...options,
    signal: ending.signal,
    onProgress: (progress) => users.forEach((user) => user(progress)),
  });
  const shared = { generator, users, ending };
  generators.set(key, shared);
  // a failed generator can be requested again
  generator.catch(() => forget(key, shared));
  return shared;
}

function end(key: string, shared: Shared): void {
  forget(key, shared);
  shared.ending.abort();
  shared.generator.then((generator) => generator.dispose()).catch(() => {});
}

function forget(key: string, shared: Shared): void {
  if (generators.get(key) === shared) generators.delete(key);
}
