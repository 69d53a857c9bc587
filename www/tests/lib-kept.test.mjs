/** The kept copy of a model where servers, answers and this browser's store misbehave. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { libraryPage, load, MODEL, skip } from "./lib-host.mjs";
import { sha256, shards } from "./lib-shards.mjs";

const LIMIT = { skip, timeout: 120_000 };
const PATH = "/models/fashion32.safetensors";
const model = readFileSync(MODEL);
const HTML = "<!doctype html><title>Sign in</title>";

/** The id of a model that a generator is made of, or why there is none. */
const make = (page, options = {}) =>
  page.evaluate(async (options) => {
    try {
      const generator = await biggan.make(options);
      const { modelId } = generator.info;
      generator.dispose();
      return modelId;
    } catch ({ name, code, numbers, message }) {
      return { name, code, numbers, message };
    }
  }, options);

const requests = (log, path = PATH) =>
  log.filter((entry) => entry.path === path).map(({ method, range }) => [method, range]);

const status = (number) => (_, response) => void response.writeHead(number).end();

/** A server that answers HEAD with a status. */
const noHead = (number) => (request, response) =>
  request.method === "HEAD" ? status(number)(request, response) : model;

for (const number of [403, 404, 405, 501]) {
  test(`a server that answers HEAD with ${number} is asked for a byte, not for the model`, LIMIT, async (t) => {
    let current = model;
    const file = (request, response) => noHead(number)(request, response) && current;
    const { page, log } = await libraryPage(t, { files: { [PATH]: file } });
    assert.equal(await make(page), sha256(model));
    log.length = 0;
    assert.equal(await make(page), sha256(model));
    assert.deepEqual(requests(log), [
      ["HEAD", null],
      ["GET", "bytes=0-0"],
    ]);
    // and has its say
    current = Buffer.from(model);
    current[current.length - 1] ^= 1;
    assert.equal(await make(page), sha256(current));
  });
}

test("a HEAD that says nothing about the version is followed by a request for a byte", LIMIT, async (t) => {
  const silent = (request, response) =>
    request.method === "HEAD" ? void response.writeHead(200).end() : model;
  const { page, log } = await libraryPage(t, { files: { [PATH]: silent } });
  await make(page);
  log.length = 0;
  await make(page);
  assert.deepEqual(requests(log).at(-1), ["GET", "bytes=0-0"]);
});

for (const number of [429, 500, 503]) {
  test(`while the server answers ${number} the kept copy is used`, LIMIT, async (t) => {
    const { page, files } = await libraryPage(t, { files: { [PATH]: () => model } });
    await make(page);
    files[PATH] = status(number);
    assert.equal(await make(page), sha256(model));
  });
}

test("where the server does not answer the kept copy is used", LIMIT, async (t) => {
  const { page, files } = await libraryPage(t, { files: { [PATH]: () => model } });
  await make(page);
  files[PATH] = () => undefined;
  assert.equal(await make(page), sha256(model));
});

test("a model that is gone is an error with the server's status", LIMIT, async (t) => {
  const { page, files } = await libraryPage(t, { files: { [PATH]: () => model } });
  await make(page);
  files[PATH] = status(410);
  const { code, numbers } = await make(page);
  assert.deepEqual([code, numbers], ["network", { status: 410 }]);
});

for (const [name, answer] of [
  ["a short answer", model.subarray(0, model.length - 1000)],
  ["an answer of some bytes", model.subarray(0, 5)],
  ["a page", HTML],
]) {
  test(`${name} is not kept, and takes the place of no good copy`, LIMIT, async (t) => {
    const { page, log, files } = await libraryPage(t, { files: { [PATH]: () => answer } });
    assert.equal((await make(page)).code, "bad-model");
    files[PATH] = () => model;
    assert.equal(await make(page), sha256(model));
    files[PATH] = () => answer;
    assert.equal((await make(page)).code, "bad-model");
    files[PATH] = () => model;
    log.length = 0;
    assert.equal(await make(page), sha256(model));
    assert.deepEqual(requests(log), [["HEAD", null]], "the good copy is still there");
  });
}

test("a page in the place of an index is not kept", LIMIT, async (t) => {
  const parts = shards(model, "fashion", 2);
  const files = Object.fromEntries(Object.entries(parts).map(([name, bytes]) => [`/parts/${name}`, () => bytes]));
  const index = "/parts/fashion.safetensors.index.json";
  const { page, log, files: served } = await libraryPage(t, { files: { ...files, [index]: () => HTML } });
  assert.equal((await make(page, { model: index })).code, "bad-model");
  served[index] = files[index];
  await make(page, { model: index });
  log.length = 0;
  await make(page, { model: index });
  assert.deepEqual(requests(log, index), [["HEAD", null]]);
});

test("a wrong answer that an earlier version kept is fetched again", LIMIT, async (t) => {
  const { page } = await libraryPage(t);
  await make(page);
  await page.evaluate(async (path) => {
    const cache = await caches.open("biggan-models-1");
    const kept = await cache.match(path);
    const short = (await kept.blob()).slice(0, 5000);
    await cache.put(path, new Response(short, { headers: kept.headers }));
  }, PATH);
  assert.equal(await make(page), sha256(model));
});

/** Bytes that a page reads of files while it makes a generator, besides those that the worker reads. */
const readWhileMade = (page, options = {}) =>
  page.evaluate(async (options) => {
    const { slice, stream } = Blob.prototype;
    let bytes = 0;
    Blob.prototype.slice = function (...range) {
      const part = slice.apply(this, range);
      bytes += part.size;
      return part;
    };
    Blob.prototype.stream = function () {
      bytes += this.size;
      return stream.call(this);
    };
    const generator = await biggan.make(options);
    Object.assign(Blob.prototype, { slice, stream });
    const { modelId } = generator.info;
    generator.dispose();
    return { bytes, modelId };
  }, options);

/** Changes the kept entry: its bytes, and the note about them. */
const changeEntry = (page, change) =>
  page.evaluate(
    async ([path, change]) => {
      const cache = await caches.open("biggan-models-1");
      const kept = await cache.match(path);
      const note = JSON.parse(kept.headers.get("x-biggan-note"));
      for (const name of change.without ?? []) delete note[name];
      const bytes = new Uint8Array(await kept.arrayBuffer()).slice(0, change.bytes);
      await cache.put(path, new Response(bytes, { headers: { "x-biggan-note": JSON.stringify(note) } }));
    },
    [PATH, change],
  );

test("a kept model has its SHA-256 with it, and is not hashed again", LIMIT, async (t) => {
  let current = model;
  const { page, log } = await libraryPage(t, { files: { [PATH]: () => current } });
  await make(page);
  const again = await readWhileMade(page);
  assert.equal(again.modelId, sha256(model));
  assert.ok(again.bytes < 50_000, `${again.bytes} bytes were read`);
  const known = await readWhileMade(page, { sha256: sha256(model) });
  assert.ok(known.bytes < 50_000, `${known.bytes} bytes were read`);

  // an entry of before has no hash, and is as good
  await changeEntry(page, { without: ["sha256", "bytes"] });
  log.length = 0;
  const old = await readWhileMade(page);
  assert.equal(old.modelId, sha256(model));
  assert.ok(old.bytes >= model.length, `${old.bytes} bytes were read`);
  assert.deepEqual(requests(log), [["HEAD", null]]);

  // the kept hash is held against another expected one
  current = Buffer.from(model);
  current[current.length - 1] ^= 1;
  assert.equal(await make(page, { sha256: sha256(current) }), sha256(current));
  assert.deepEqual(requests(log).at(-1), ["GET", null]);
});

test("a kept hash is of the kept bytes", LIMIT, async (t) => {
  const { page, log } = await libraryPage(t);
  await make(page);
  await changeEntry(page, { bytes: model.length - 1 });
  log.length = 0;
  assert.equal(await make(page, { sha256: sha256(model) }), sha256(model));
  assert.deepEqual(requests(log), [["GET", null]], "a file of another length is fetched again");
});

/** Stores that fail in each way that one can. */
const STORES = {
  "that cannot be opened": "CacheStorage.prototype.open = fails;",
  "that fails at each call": "for (const call of ['match', 'put', 'delete']) Cache.prototype[call] = fails;",
  "that is not there": "Object.defineProperty(globalThis, 'caches', { get() {} });",
  "that cannot be opened without an answer": "CacheStorage.prototype.open = hangs;",
  "that never answers": "for (const call of ['match', 'put', 'delete']) Cache.prototype[call] = hangs;",
};
for (const [name, script] of Object.entries(STORES)) {
  test(`a store ${name} is no store`, LIMIT, async (t) => {
    const { page, origin, errors } = await libraryPage(t);
    await page.addInitScript(`{
      const fails = async () => { throw new DOMException("the store is broken", "UnknownError"); };
      const hangs = () => new Promise(() => {});
      ${script}
    }`);
    await load(page, origin);
    assert.equal(await make(page), sha256(model));
    assert.equal(await make(page, { sha256: sha256(model) }), sha256(model));
    assert.deepEqual(errors, []);
  });
}

test("a kept copy whose file cannot be read is fetched again", LIMIT, async (t) => {
  const { page } = await libraryPage(t);
  await make(page);
  const found = await page.evaluate(async () => {
    const { blob } = Response.prototype;
    Response.prototype.blob = async function () {
      const file = await blob.call(this);
      file.slice = () => {
        throw new DOMException("gone", "NotReadableError");
      };
      return file;
    };
    const generator = await biggan.make();
    return [biggan.progress.filter(({ phase }) => phase === "download").at(-1).cached, generator.info.modelId];
  });
  assert.deepEqual(found, [false, sha256(model)]);
});

test("a file of the user that cannot be read says so", LIMIT, async (t) => {
  const { page } = await libraryPage(t);
  const failure = await page.evaluate(() => {
    const file = new File([new Uint8Array(100)], "mine.safetensors");
    file.slice = () => file;
    file.arrayBuffer = async () => {
      throw new DOMException("A requested file could not be found", "NotFoundError");
    };
    return biggan.failure(biggan.make({ model: file }));
  });
  assert.deepEqual([failure.name, failure.code], ["BigGanError", "bad-model"]);
  assert.match(failure.message, /^mine\.safetensors cannot be read \(.*\); choose it again$/);
});

test("a name with a % of its own is a name", LIMIT, async (t) => {
  const { page } = await libraryPage(t);
  const { name, code, message } = await make(page, { model: "/100%.safetensors" });
  assert.deepEqual([name, code], ["BigGanError", "network"]);
  assert.match(message, /100%/);
});
