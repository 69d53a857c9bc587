/** The bytes of a stream. */

const CHUNK_BYTES = 2 ** 18;

type Bytes = Uint8Array<ArrayBuffer>;

/**
 * Chunk by chunk. Each is gone when the next is asked for: all lie in one buffer, where the browser can, so that no
 * garbage piles up while a large file comes.
 */
export async function* chunksOf(stream: ReadableStream<Bytes>): AsyncGenerator<Bytes, void, void> {
  const { read, reader } = intoBuffer(stream) ?? intoArrays(stream);
  try {
    for (;;) {
      const { done, value } = await read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

/** Null if the stream, or the browser, has no such reader. */
function intoBuffer(stream: ReadableStream<Bytes>) {
  try {
    const reader = stream.getReader({ mode: "byob" });
    let chunk: Bytes = new Uint8Array(CHUNK_BYTES);
    const read = async () => {
      const read = await reader.read(new Uint8Array(chunk.buffer));
      if (read.value) chunk = read.value;
      return read;
    };
    return { read, reader };
  } catch {
    return null;
  }
}

function intoArrays(stream: ReadableStream<Bytes>) {
  const reader = stream.getReader();
  return { read: () => reader.read(), reader };
}
