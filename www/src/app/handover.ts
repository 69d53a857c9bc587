/** The model that the training page hands to the sampling page, through this browser's cache. */

const CACHE = "biggan-trained-1";
/** What the model is called. */
export const TRAINED_NAME = "trained.safetensors";
const ENTRY = `./${TRAINED_NAME}`;
/** In the address of the sampling page. */
const QUERY = { name: "from", value: "training" };

/**
 * Stores the model, replacing an earlier one, and returns the address that opens it in the sampler.
 *
 * @throws if this browser stores nothing for the page
 */
export async function handOver(model: Blob): Promise<string> {
  try {
    const cache = await caches.open(CACHE);
    await cache.put(ENTRY, new Response(model));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(
      `this browser could not store the model for the sampler (${why}): export the model and open the file there`,
    );
  }
  const address = new URL("./", document.baseURI);
  address.searchParams.set(QUERY.name, QUERY.value);
  return address.href;
}

/** Whether the address requests it. */
export const asksForHandedOver = (search: string): boolean =>
  new URLSearchParams(search).get(QUERY.name) === QUERY.value;

/** The model; `null` if this browser has none, or stores nothing for the page. */
export async function handedOver(): Promise<Blob | null> {
  try {
    const response = await (await caches.open(CACHE)).match(ENTRY);
    return response ? await response.blob() : null;
  } catch {
    return null;
  }
}
