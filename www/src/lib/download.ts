/** A file with its progress. */

/** Called with the bytes so far and the total, where the server states one. */
export type OnProgress = (received: number, total: number | null) => void;

export async function download(
  url: string | URL,
  onProgress: OnProgress = () => {},
): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(url);
  if (!response.ok || !response.body) {
    throw new Error(`${url}: the server answered ${response.status} ${response.statusText}`);
  }
  // a compressed answer states the length of what is sent, not of the file
  const stated = response.headers.has("Content-Encoding")
    ? null
    : response.headers.get("Content-Length");
  const total = stated === null ? null : Number(stated);
  const chunks: Uint8Array[] = [];
  let received = 0;
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    received += value.length;
    onProgress(received, total);
  }
  const whole = new Uint8Array(received);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
