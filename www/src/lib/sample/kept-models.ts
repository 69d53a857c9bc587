/** The models that this browser keeps for the page's origin. */

import { CONFIG, isForeign, nameOf } from "./file.js";
import { Store } from "./store.js";

/** A file of a model. */
export interface KeptModel {
  /** Its name. */
  name: string;
  /** The address that it came from. */
  url: string;
  bytes: number;
  /** In lower-case hex; null of an old entry. */
  sha256: string | null;
}

/** What `createGenerator` has kept; where the browser keeps nothing, there is nothing. */
export const BigGanModels = {
  /** The files of models, parts and all. */
  async list(): Promise<KeptModel[]> {
    const store = await Store.open();
    const kept = (await store?.all()) ?? [];
    return kept
      .map(({ url, file, sha256 = null }) => ({ name: nameOf(url), url: url.href, bytes: file.size, sha256 }))
      .filter(({ name }) => name !== CONFIG && (isForeign(name) || name.includes(".safetensors")));
  },

  /** Bytes of all that is kept, with beginnings of downloads. */
  async size(): Promise<number> {
    return (await Store.open())?.size() ?? 0;
  },

  /** Forgets all of it, or what came from an address. Generators that are open are not disturbed. */
  async clear(url?: string | URL): Promise<void> {
    const store = await Store.open();
    await (url === undefined ? store?.clear() : store?.forget(new URL(url, globalThis.document?.baseURI ?? location.href)));
  },
};
