/** The model that the training page hands to the sampling page, through this browser's cache. */

const CACHE = "biggan-trained-1";
/** What the model is called. */
export const TRAINED_NAME = "trained.safetensors";
const ENTRY = `./${TRAINED_NAME}`;
/** In the address of the sampling page. */
const QUERY = { name: "from", value: "training" };

/** Stores the model, replacing an earlier one, and returns the address that opens it in the sampler. */
export async function handOver(model: Blob): Promise<string> {
  const cache = await caches.open(CACHE);
  await cache.put(ENTRY, new Response(model));
  const address = new URL("./", document.baseURI);
  address.searchParams.set(QUERY.name, QUERY.value);
  return address.href;
}

/** Whether the address requests it. */
export const asksForHandedOver = (search: string): boolean =>
  new URLSearchParams(search).get(QUERY.name) === QUERY.value;

/** The model; `null` if this browser has none. */
export async function handedOver(): Promise<Blob | null> {
  const response = await caches.open(CACHE).then(
    (cache) => cache.match(ENTRY),
    () => undefined,
  );
  return response ? response.blob() : null;
}
