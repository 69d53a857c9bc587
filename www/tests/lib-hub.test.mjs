/** Models by their names on the hub, by two addresses, and what the browser keeps of them. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { here, libraryPage, MODEL, skip, STRICT } from "./lib-host.mjs";
import { sha256 } from "./lib-shards.mjs";

const LIMIT = { skip, timeout: 120_000 };
const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const HUB = "https://huggingface.co";
const model = readFileSync(MODEL);
const deep = (name) => readFileSync(here(`../../tests/fixtures/hf-deep-128/${name}`));

/** A page that reaches a hub with these repositories, `{ id: { file: bytes } }`; `hub.isAway` takes it from the net. */
async function hubPage(t, repositories) {
  const policy = STRICT.replace("connect-src 'self'", `connect-src 'self' ${HUB}`);
  const opened = await libraryPage(t, { policy });
  const hub = { asked: [], isAway: false };
  await opened.page.route(`${HUB}/**`, (route) => {
    const request = route.request();
    const path = decodeURIComponent(new URL(request.url()).pathname);
    hub.asked.push(`${request.method()} ${path}`);
    if (hub.isAway) return route.abort();
    const headers = { "Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "ETag", ETag: `"${COMMIT}"` };
    const answer = (status, body = "") => route.fulfill({ status, headers, body });
    const [, listed, revision] = /^\/api\/models\/([^/]+\/[^/]+)\/revision\/(.+)$/.exec(path) ?? [];
    if (listed) {
      const files = repositories[listed];
      // as to strangers: nobody learns what is private
      if (!files) return answer(401);
      if (!["main", "v2", COMMIT].includes(revision)) return answer(404);
      return answer(200, JSON.stringify({ sha: COMMIT, siblings: Object.keys(files).map((rfilename) => ({ rfilename })) }));
    }
    const [, id, file] = new RegExp(`^/([^/]+/[^/]+)/resolve/${COMMIT}/(.+)$`).exec(path) ?? [];
    const bytes = repositories[id]?.[file];
    return bytes ? answer(200, bytes) : answer(404);
  });
  return { ...opened, hub };
}

/** Id and resolution of a model, or why there is none. */
const make = (page, model) =>
  page.evaluate(async (model) => {
    try {
      const generator = await biggan.make({ model });
      const { modelId, model: { resolution } } = generator.info;
      generator.dispose();
      return { modelId, resolution };
    } catch ({ code, message }) {
      return { code, message };
    }
  }, model);

test("a name of the hub is its weights at a commit, kept for when the hub is away", LIMIT, async (t) => {
  const { page, hub } = await hubPage(t, { "owner/model": { "README.md": "x", "model.safetensors": model } });
  const expected = { modelId: sha256(model), resolution: 32 };
  assert.deepEqual(await make(page, "hf:owner/model"), expected);
  assert.deepEqual(hub.asked, [
    "GET /api/models/owner/model/revision/main",
    `GET /owner/model/resolve/${COMMIT}/model.safetensors`,
  ]);
  assert.deepEqual(await make(page, "hf:owner/model@v2"), expected);
  assert.deepEqual(await make(page, "hf:owner/model/model.safetensors"), expected);
  assert.ok(!hub.asked.slice(2).some((line) => line.startsWith("GET /owner")), "its weights are fetched once");
  hub.isAway = true;
  assert.deepEqual(await make(page, "hf:owner/model"), expected);
});

test("weights of another program come from the hub, or from two addresses", LIMIT, async (t) => {
  const files = { "config.json": deep("config.json"), "pytorch_model.bin": deep("pytorch_model.bin") };
  const { page } = await hubPage(t, { "owner/deep": files });
  const named = await make(page, "hf:owner/deep");
  assert.deepEqual(named, { modelId: sha256(files["pytorch_model.bin"]), resolution: 128 });
  const at = (file) => `${HUB}/owner/deep/resolve/${COMMIT}/${file}`;
  const addressed = await page.evaluate(
    async ([weights, config]) => {
      const ids = [];
      const text = await (await fetch(config)).text();
      const blob = await (await fetch(weights)).blob();
      for (const model of [
        { weights, config: new URL(config) },
        { weights: new URL(weights), config: text },
        { weights: blob, config: new URL(config) },
      ]) {
        const generator = await biggan.make({ model });
        ids.push(generator.info.modelId);
        generator.dispose();
      }
      return ids;
    },
    [at("pytorch_model.bin"), at("config.json")],
  );
  assert.deepEqual(addressed, Array(3).fill(named.modelId));
});

test("what the hub does not have is said with its name", LIMIT, async (t) => {
  const { page } = await hubPage(t, {
    "owner/two": { "a.safetensors": model, "b.safetensors": model },
    "owner/none": { "README.md": "x" },
    "owner/empty": {},
  });
  const refused = async (name, code, words) => {
    const failure = await make(page, name);
    assert.equal(failure.code, code, JSON.stringify(failure));
    assert.match(failure.message, words);
  };
  await refused("hf:nobody/nothing", "network", /there is no https:\/\/huggingface\.co\/nobody\/nothing/);
  await refused("hf:owner/two@v9", "network", /at v9/);
  await refused("hf:owner/two", "bad-model", /several: it has a\.safetensors, b\.safetensors; give hf:OWNER/);
  await refused("hf:owner/none", "bad-model", /no weights.*README\.md/);
  await refused("hf:owner/empty", "bad-model", /it has nothing/);
  await refused("hf:owner/two/c.safetensors", "bad-model", /no c\.safetensors/);
  for (const name of ["hf:", "hf:owner", "hf:owner/..", "hf:../model", "hf:o/m/../x", "hf:o/m?x", "hf:o/m@"]) {
    await refused(name, "bad-options", /is no name; give hf:OWNER\/REPOSITORY/);
  }
});

test("what is kept is listed, measured and forgotten", LIMIT, async (t) => {
  const { page, hub } = await hubPage(t, { "owner/model": { "model.safetensors": model } });
  const kept = () => page.evaluate(async () => [await biggan.BigGanModels.list(), await biggan.BigGanModels.size()]);
  assert.deepEqual(await kept(), [[], 0]);
  await make(page, "hf:owner/model");
  await make(page, "/models/fashion32.safetensors");
  const [list, size] = await kept();
  const { origin } = new URL(page.url());
  assert.deepEqual(
    list.map(({ name, url, bytes, sha256 }) => [name, url, bytes, sha256]).sort(),
    [
      ["fashion32.safetensors", `${origin}/models/fashion32.safetensors`, model.length, sha256(model)],
      ["model.safetensors", `${HUB}/owner/model/resolve/${COMMIT}/model.safetensors`, model.length, sha256(model)],
    ],
  );
  assert.ok(size > 2 * model.length && size < 2 * model.length + 1000, String(size));
  await page.evaluate(() => biggan.BigGanModels.clear("/models/fashion32.safetensors"));
  assert.deepEqual((await kept())[0].map(({ name }) => name), ["model.safetensors"]);
  await page.evaluate(() => biggan.BigGanModels.clear());
  assert.deepEqual(await kept(), [[], 0]);
  hub.isAway = true;
  assert.equal((await make(page, "hf:owner/model")).code, "network");
});
