/** How models come: progress, parts, hashes, this browser's store, broken downloads, models that are too large. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { host, libraryPage, load, MODEL, openPage, send, skip } from "./lib-host.mjs";
import { header, sha256, shards } from "./lib-shards.mjs";
import { modelIn, samplePixels } from "./native.mjs";
import { assertSame } from "./pixels.mjs";

const LIMIT = { skip, timeout: 120_000 };
const PATH = "/models/fashion32.safetensors";
const model = readFileSync(MODEL);

/** What happens when a generator of a model is made, and its first pixels. */
const make = (page, options = {}) =>
  page.evaluate(async (options) => {
    biggan.progress.length = 0;
    let generator;
    const failure = await biggan.failure(
      biggan.make(options).then((made) => {
        generator = made;
      }),
    );
    const downloads = biggan.progress.filter(({ phase }) => phase === "download");
    if (!generator) return { failure, downloads };
    const samples = await generator.sample({ class: 3, seed: 7, truncation: 0.5, count: 2 });
    const { info } = generator;
    generator.dispose();
    return { downloads, info, pixels: biggan.bytes(samples) };
  }, options);

const requests = (log, path = PATH) =>
  log.filter((entry) => entry.path === path).map(({ method, range }) => [method, range]);

/** A file whose connection breaks after some bytes of an answer, as often as the list says. */
function breaking(body, breaks) {
  return (request, response) => {
    const limit = request.method === "GET" ? breaks.shift() : undefined;
    if (limit === undefined) return body;
    const { writeHead } = response;
    response.writeHead = (status, headers) => writeHead.call(response, status, headers);
    const { end } = response;
    response.end = (data) => {
      if (!data) return end.call(response);
      // the rest was promised and never comes
      response.write(data.subarray(0, limit), () => setTimeout(() => response.destroy(), 50));
      return response;
    };
    send(request, response, PATH, body);
    return undefined;
  };
}

test(
  "a model is kept in the browser, with its progress, until the server has another",
  LIMIT,
  async (t) => {
    let current = model;
    const { page, log, origin, errors } = await libraryPage(t, {
      files: { [PATH]: () => current },
    });
    const first = await make(page);
    assert.equal(first.info.modelId, sha256(model));
    const last = first.downloads.at(-1);
    assert.deepEqual(last, {
      phase: "download",
      file: "fashion32.safetensors",
      received: model.length,
      total: model.length,
      part: 1,
      parts: 1,
      cached: false,
      resumedAt: 0,
    });
    const received = first.downloads.map(({ received }) => received);
    assert.deepEqual(
      received,
      [...received].sort((a, b) => a - b),
    );

    await load(page, origin);
    log.length = 0;
    const second = await make(page);
    assert.deepEqual(
      second.downloads.map(({ cached }) => cached),
      [true],
    );
    assert.deepEqual(requests(log), [["HEAD", null]]);
    assertSame(second.pixels, first.pixels);

    log.length = 0;
    const known = await make(page, { sha256: sha256(model) });
    assert.deepEqual(requests(log), [], "a model of a known hash needs no question");
    assert.equal(known.downloads[0].cached, true);
    const uncached = await make(page, { cache: false });
    assert.equal(uncached.downloads[0].cached, false);

    // as large, and different
    current = Buffer.from(model);
    current[current.length - 1] ^= 1;
    log.length = 0;
    const third = await make(page);
    assert.equal(third.info.modelId, sha256(current));
    assert.deepEqual(requests(log), [
      ["HEAD", null],
      ["GET", null],
    ]);
    assert.deepEqual(errors, []);
  },
);

test("without a network the kept model is used", LIMIT, async (t) => {
  const { page, context } = await libraryPage(t);
  const first = await make(page);
  // the program came with the first generator
  await context.route("**/*.safetensors", (route) => route.abort());
  const second = await make(page);
  assertSame(second.pixels, first.pixels);
});

test("a broken download goes on by Range", LIMIT, async (t) => {
  const { page, log } = await libraryPage(t, {
    files: { [PATH]: breaking(model, [200_000, 100_000]) },
  });
  const { downloads, info } = await make(page);
  assert.equal(info.modelId, sha256(model));
  const asked = requests(log);
  assert.equal(asked.length, 3);
  assert.deepEqual(asked[0], ["GET", null]);
  const starts = asked.slice(1).map(([, range]) => Number(/^bytes=(\d+)-$/.exec(range)[1]));
  assert.ok(
    starts[0] > 0 && starts[0] <= 200_000 && starts[1] > starts[0] && starts[1] <= 300_000,
    String(starts),
  );
  assert.equal(downloads.at(-1).resumedAt, starts[1]);
  assert.equal(downloads.at(-1).received, model.length);
});

test("the next page goes on where a closed one ended", LIMIT, async (t) => {
  const broken = breaking(model, [300_000, 0, 0, 0, 0]);
  const { page, log, origin, files } = await libraryPage(t, { files: { [PATH]: broken } });
  const { failure } = await make(page);
  assert.equal(failure.code, "network");
  assert.match(failure.message, /fashion32.safetensors could not be fetched: /);
  files[PATH] = () => model;
  await load(page, origin);
  log.length = 0;
  const { downloads, info } = await make(page);
  const [[, range]] = requests(log);
  const start = Number(/^bytes=(\d+)-$/.exec(range)[1]);
  assert.ok(start > 0 && start <= 300_000);
  assert.deepEqual([downloads[0].received, downloads[0].resumedAt], [start, start]);
  assert.equal(info.modelId, sha256(model));
});

test("a file that changed meanwhile is begun anew", LIMIT, async (t) => {
  const other = Buffer.from(model);
  other[other.length - 1] ^= 1;
  const broken = breaking(model, [300_000]);
  let answers = 0;
  const files = {
    [PATH]: (request, response) => (answers++ === 0 ? broken(request, response) : other),
  };
  const { page, log } = await libraryPage(t, { files });
  const changed = await make(page);
  assert.equal(changed.info.modelId, sha256(other));
  assert.deepEqual(
    requests(log).map(([, range]) => range !== null),
    [false, true, false],
  );
});

test("a server without Range is asked for everything again", LIMIT, async (t) => {
  const broken = breaking(model, [300_000]);
  const files = {
    [PATH]: (request, response) => {
      delete request.headers.range;
      return broken(request, response);
    },
  };
  const { page, log } = await libraryPage(t, { files });
  const { info, downloads } = await make(page);
  assert.equal(info.modelId, sha256(model));
  assert.equal(downloads.at(-1).resumedAt, 0);
  assert.equal(requests(log).length, 2);
});

test("another SHA-256 than the expected one is refused", LIMIT, async (t) => {
  const { page } = await libraryPage(t);
  const expected = "0".repeat(64);
  const { failure } = await make(page, { sha256: expected });
  assert.equal(failure.code, "integrity");
  assert.match(failure.message, new RegExp(`${sha256(model)}, expected ${expected}`));
  const blob = await page.evaluate(async (sha256) => {
    const file = await (await fetch("/models/fashion32.safetensors")).blob();
    return biggan.failure(biggan.make({ model: file, sha256 }));
  }, expected);
  assert.equal(blob.code, "integrity");
});

/** Bytes that are no model and never repeat. */
function noise(length) {
  const bytes = Buffer.alloc(length);
  for (let place = 0, value = 1; place < length; place++) {
    value = (Math.imul(value, 1664525) + 1013904223) | 0;
    bytes[place] = value >>> 24;
  }
  return bytes;
}

test("the SHA-256 of files of all lengths is Node's", LIMIT, async (t) => {
  const lengths = [0, 1, 55, 56, 63, 64, 65, 119, 120, 2 ** 16 + 1, 2 ** 18 - 1, 2 ** 18, 2 ** 18 + 1, 3_000_001];
  const files = Object.fromEntries(lengths.map((length) => [`/noise/${length}`, noise(length)]));
  const { page } = await libraryPage(t, { files });
  const found = await page.evaluate(async (lengths) => {
    const hashes = [];
    const options = { sha256: "0".repeat(64), cache: false };
    for (const length of lengths) {
      const file = await (await fetch(`/noise/${length}`)).blob();
      for (const model of [file, `/noise/${length}`]) {
        const { message } = await biggan.failure(biggan.make({ ...options, model }));
        hashes.push(/ is ([0-9a-f]{64}), expected /.exec(message)?.[1] ?? message);
      }
    }
    return hashes;
  }, lengths);
  const expected = lengths.flatMap((length) => Array(2).fill(sha256(files[`/noise/${length}`])));
  assert.deepEqual(found, expected);
});

for (const cache of [true, false]) {
  test(`a broken download has the right SHA-256 ${cache ? "with" : "without"} the store`, LIMIT, async (t) => {
    const path = "/noise";
    const file = noise(20_000_003);
    const { page, log, files } = await libraryPage(t, { files: { [path]: breaking(file, [9_000_001, 77_777]) } });
    const options = { model: path, sha256: sha256(file), cache };
    // the core refuses it, since the hash is right
    assert.equal((await make(page, options)).failure.code, "bad-model");
    assert.equal(requests(log, path).length, 3);
    files[path] = breaking(file, [8_388_609, 0, 0, 0, 0]);
    log.length = 0;
    const other = { ...options, sha256: "0".repeat(64) };
    assert.equal((await make(page, { ...options, model: `${path}?again` })).failure.code, "network");
    files[path] = file;
    log.length = 0;
    const { failure } = await make(page, { ...other, model: `${path}?again` });
    assert.match(failure.message, new RegExp(` is ${sha256(file)}, expected `));
    // what was joined is fetched once more as a whole
    const ranges = requests(log, path).map(([, range]) => range !== null);
    assert.deepEqual(ranges, cache ? [true, false] : [false]);
  });
}

test("a browser that reads no stream into a buffer has the same bytes", LIMIT, async (t) => {
  const { page } = await libraryPage(t, { files: { [PATH]: breaking(model, [200_000]) } });
  await page.evaluate(() => {
    const { getReader } = ReadableStream.prototype;
    ReadableStream.prototype.getReader = function (options) {
      if (options) throw new TypeError("not a stream of bytes");
      return getReader.call(this);
    };
  });
  const { info } = await make(page);
  assert.equal(info.modelId, sha256(model));
});

test("a page without https has hashes, too", LIMIT, async (t) => {
  const { origin } = await host(t);
  const { page, errors } = await openPage(t, { args: ["--host-resolver-rules=MAP plain.test 127.0.0.1"] });
  await load(page, `http://plain.test:${new URL(origin).port}`);
  assert.equal(await page.evaluate(() => globalThis.isSecureContext), false);
  const { info } = await make(page, { sha256: sha256(model) });
  assert.equal(info.modelId, sha256(model));
  const { failure } = await make(page, { sha256: "0".repeat(64) });
  assert.equal(failure.code, "integrity");
  assert.deepEqual(errors, []);
});

test("a model in parts", LIMIT, async (t) => {
  const parts = shards(model, "fashion", 3);
  const files = Object.fromEntries(
    Object.entries(parts).map(([name, bytes]) => [`/parts/${name}`, () => bytes]),
  );
  const { page, log, files: served, errors } = await libraryPage(t, { files });
  const whole = await make(page);
  const options = { model: "/parts/fashion.safetensors.index.json" };
  const first = await make(page, options);
  assertSame(first.pixels, whole.pixels);
  assert.equal(first.info.modelId, sha256(parts["fashion.safetensors.index.json"]));
  const seen = [
    ...new Set(first.downloads.map(({ file, part, parts }) => `${file} ${part}/${parts}`)),
  ];
  assert.deepEqual(seen, [
    "fashion.safetensors.index.json 1/1",
    "fashion-00001-of-00003.safetensors 1/3",
    "fashion-00002-of-00003.safetensors 2/3",
    "fashion-00003-of-00003.safetensors 3/3",
  ]);
  log.length = 0;
  const again = await make(page, options);
  assertSame(again.pixels, first.pixels);
  assert.deepEqual(
    log.filter(({ path }) => path.startsWith("/parts/") && path.endsWith(".safetensors")),
    [],
  );

  const place = "/parts/fashion-00002-of-00003.safetensors";
  const spoilt = Buffer.from(parts["fashion-00002-of-00003.safetensors"]);
  spoilt[spoilt.length - 1] ^= 1;
  served[place] = () => spoilt;
  const { failure } = await make(page, { ...options, cache: false });
  assert.equal(failure.code, "integrity");
  assert.match(failure.message, /fashion-00002-of-00003.safetensors is .*, expected /);
  assert.deepEqual(errors, []);
});

test("an index that names what is no part is refused", LIMIT, async (t) => {
  const index = (change) => {
    const all = JSON.parse(shards(model, "x", 1)["x.safetensors.index.json"]);
    change(all);
    return JSON.stringify(all);
  };
  const files = {
    "/up.index.json": index((all) => {
      for (const name in all.weight_map) all.weight_map[name] = "../x.safetensors";
    }),
    "/bare.index.json": index((all) => {
      all.metadata.sha256 = {};
    }),
    "/text.index.json": "<html>",
  };
  const { page, log } = await libraryPage(t, { files });
  for (const [name, says] of [
    ["up", /names "..\/x.safetensors"/],
    ["bare", /states no SHA-256 for x-00001-of-00001.safetensors/],
    ["text", /is not an index of a model/],
  ]) {
    const { failure } = await make(page, { model: `/${name}.index.json` });
    assert.equal(failure.code, "bad-model");
    assert.match(failure.message, says);
  }
  assert.deepEqual(
    log.filter(({ path }) => path.endsWith(".safetensors")),
    [],
  );
});

/** A file that says it holds a tensor of so many bytes, and never ends. */
function endless(tensorBytes) {
  const start = header({
    big: { dtype: "F32", shape: [tensorBytes / 4], data_offsets: [0, tensorBytes] },
  });
  const sent = { bytes: 0 };
  const answer = (_, response) => {
    response.writeHead(200, { "Content-Length": start.length + tensorBytes });
    response.write(start);
    const piece = Buffer.alloc(2 ** 16);
    const more = () => {
      if (response.destroyed) return;
      sent.bytes += piece.length;
      response.write(piece, () => setTimeout(more, 20));
    };
    setTimeout(more, 200);
  };
  return { answer, sent };
}

test("a model that is too large is refused before it comes, with the numbers", LIMIT, async (t) => {
  const { answer, sent } = endless(3e9);
  const huge = JSON.parse(shards(model, "x", 1)["x.safetensors.index.json"]);
  huge.metadata.total_size = 5e9;
  const files = { "/huge.safetensors": answer, "/huge.index.json": JSON.stringify(huge) };
  const { page, log } = await libraryPage(t, { files });
  const single = await make(page, { model: "/huge.safetensors" });
  assert.equal(single.failure.code, "too-large");
  assert.equal(single.failure.numbers.available, 2 ** 32);
  assert.ok(single.failure.numbers.needed > 6e9);
  assert.match(single.failure.message, /3000.0 MB .* wasm has 4295.0 MB; use a smaller model/);
  assert.ok(sent.bytes < 2e6, `${sent.bytes} bytes were sent`);
  const parts = await make(page, { model: "/huge.index.json" });
  assert.equal(parts.failure.code, "too-large");
  assert.deepEqual(requests(log, "/x-00001-of-00001.safetensors"), []);
});

test("weights of another program come by their address, with the config next to them, and are kept", LIMIT, async (t) => {
  const fixture = (name) => readFileSync(new URL(`../../tests/fixtures/hf-deep-128/${name}`, import.meta.url));
  const weights = "/deep/pytorch_model.bin";
  const files = { [weights]: fixture("pytorch_model.bin"), "/deep/config.json": fixture("config.json") };
  files["/alone/weights.bin"] = files[weights];
  const { page, log } = await libraryPage(t, { files });
  const first = await make(page, { model: weights });
  assert.equal(first.info.model.imported, "hf-deep");
  assert.equal(first.info.modelId, sha256(files[weights]));
  const again = await make(page, { model: weights });
  assert.deepEqual(again.pixels, first.pixels);
  assert.ok(again.downloads.every(({ cached }) => cached));
  assert.deepEqual(requests(log, weights).map(([method]) => method), ["GET", "HEAD"]);
  // weights without a config are not fetched in vain
  const { failure } = await make(page, { model: "/alone/weights.bin" });
  assert.deepEqual([failure.code, failure.numbers.status], ["network", 404]);
  assert.deepEqual(requests(log, "/alone/weights.bin"), []);
});

test("weights of 8 bits are half as large, and drawn as natively, whole and in parts", LIMIT, async (t) => {
  const whole = modelIn("q8")["model.safetensors"];
  assert.ok(whole.length < 0.6 * model.length, `${whole.length} bytes`);
  const parts = Object.entries(modelIn("q8", "--shard-size", "64KiB"));
  const files = { "/q8.safetensors": whole, ...Object.fromEntries(parts.map(([name, bytes]) => [`/parts/${name}`, bytes])) };
  const { page } = await libraryPage(t, { files });
  const expected = samplePixels({ classIndex: 3, truncation: 0.5, seed: 7, count: 2, model: whole });
  for (const address of ["/q8.safetensors", "/parts/model.safetensors.index.json"]) {
    const { failure, pixels } = await make(page, { model: address });
    assert.equal(failure, undefined);
    assertSame(pixels, expected.map((image) => [...image]));
  }
  // and little else than with 16 bits
  const halves = samplePixels({ classIndex: 3, truncation: 0.5, seed: 7, count: 2 });
  const apart = halves.flatMap((image, at) => [...image].map((value, byte) => Math.abs(value - expected[at][byte])));
  const mean = apart.reduce((sum, difference) => sum + difference, 0) / apart.length;
  t.diagnostic(`${mean.toFixed(2)} of 255 apart on average`);
  assert.ok(mean > 0 && mean < 2, `${mean}`);
});

test("what is no model gets the core's words", LIMIT, async (t) => {
  const files = {
    "/cut.safetensors": model.subarray(0, 5000),
    "/text.safetensors": "no model at all",
  };
  const { page } = await libraryPage(t, { files });
  for (const name of ["cut", "text"]) {
    const { failure } = await make(page, { model: `/${name}.safetensors` });
    assert.equal(failure.code, "bad-model");
    assert.match(failure.message, /safetensors/);
  }
  const { failure } = await make(page, { model: "/missing.safetensors" });
  assert.deepEqual([failure.code, failure.numbers.status], ["network", 404]);
});
