/** Asks before a link makes the page fetch a model from elsewhere: opening a link is no consent to a download. */

import { ask } from "../notices.js";

/** A server that does not answer in this time is asked for without a size. */
const SIZE_MS = 5_000;

/**
 * Whether the visitor wants the model of an address. This page's own server and what this browser has already need no
 * question. `false` also if another model was asked for meanwhile, which aborts the signal.
 */
export async function wantsModel(address: string, signal: AbortSignal, onAsk: () => void): Promise<boolean> {
  if (new URL(address).origin === location.origin || (await isKept(address))) return true;
  // a name of the hub has no size of its own
  const bytes = address.startsWith("http") ? await bytesOf(address, signal).catch(() => NaN) : NaN;
  const size = bytes > 0 ? `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB` : "of unknown size";
  if (!signal.aborted) onAsk();
  return ask(`The link draws with a model from another server: ${address} (${size}).`, "Load it", "Use the page’s own", signal);
}

async function isKept(address: string): Promise<boolean> {
  try {
    return (await caches.match(address)) !== undefined;
  } catch {
    // no Cache API, or denied
    return false;
  }
}

/** Bytes of a model, or of the parts that an index names. */
async function bytesOf(address: string, signal: AbortSignal): Promise<number> {
  const request: RequestInit = {
    credentials: "omit",
    referrerPolicy: "no-referrer",
    signal: AbortSignal.any([signal, AbortSignal.timeout(SIZE_MS)]),
  };
  if (new URL(address).pathname.endsWith(".index.json")) {
    const { metadata } = await (await fetch(address, request)).json();
    return Number(metadata.total_size);
  }
  const response = await fetch(address, { ...request, method: "HEAD" });
  return response.ok ? Number(response.headers.get("Content-Length")) : NaN;
}
