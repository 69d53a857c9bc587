/** The bytes of a stream. */

const CHUNK_BYTES = 2 ** 18;

type Bytes = Uint8Array<ArrayBuffer>;

/** A reader of either kind; the default kind takes no array. */
interface Reader {
  read(into?: Bytes): Promise<ReadableStreamReadResult<Bytes>>;
  cancel(): Promise<void>;
}

/**
 * Chunk by chunk. Each is gone when the next is asked for: all lie in one buffer, where the browser can, so that no
 * garbage piles up while a large file comes.
 */
export async function* chunksOf(stream: ReadableStream<Bytes>): AsyncGenerator<Bytes, void, void> {
  let into: Bytes | undefined = new Uint8Array(CHUNK_BYTES);
  let reader: Reader;
  try {
    reader = stream.getReader({ mode: "byob" }) as Reader;
  } catch {
    reader = stream.getReader();
    into = undefined;
  }
  try {
    for (;;) {
      const { done, value } = await reader.read(into);
      if (done) return;
      // the array that was given is empty from now on
      into &&= new Uint8Array(value.buffer);
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
