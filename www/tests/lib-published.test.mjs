/** What comes with the package besides its programs, and what a CDN makes of it. */

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { host, LIB, libraryPage, openPage, skip } from "./lib-host.mjs";

const LIMIT = { skip, timeout: 120_000 };
const read = (name) => readFileSync(join(LIB, name), "utf8");
const manifest = () => JSON.parse(read("package.json"));

for (const address of ["/npm/biggan@0.1.0", "/npm/biggan@0.1.0/cdn.js", "/biggan?module"]) {
  test(`at a CDN's short address ${address} the package finds its files, and its worker`, LIMIT, async (t) => {
    const { jsdelivr, unpkg } = manifest();
    assert.equal(jsdelivr, unpkg);
    const path = address.replace(/\?.*/, "");
    const short = (_, response) =>
      void response.writeHead(200, { "Content-Type": "text/javascript" }).end(read(jsdelivr));
    const folder = `${path.replace(/\/cdn\.js$/, "")}/`;
    const cdn = await host(t, {
      headers: { "Access-Control-Allow-Origin": "*" },
      files: { [path]: short, [folder]: LIB, "/lib/": join(LIB, "nowhere") },
    });
    const site = await host(t, {
      files: {
        "/page.html": `<!doctype html><script type="module" src="${cdn.origin}${address}"></script>
          <biggan-sampler src="/models/fashion32.safetensors" label="Bag" loading="eager"></biggan-sampler>`,
      },
    });
    const { page, errors } = await openPage(t);
    await page.goto(`${site.origin}/page.html`);
    const running = await page.evaluate(async (address) => {
      const { BigGanSampler, createGenerator } = await import(address);
      const one = document.querySelector("biggan-sampler");
      await customElements.whenDefined("biggan-sampler");
      while (!one.samples) await new Promise((resolve) => setTimeout(resolve, 20));
      if (!(one instanceof BigGanSampler) || typeof createGenerator !== "function") return "something else";
      return one.generator.info.running.place;
    }, `${cdn.origin}${address}`);
    assert.equal(running, "worker");
    assert.deepEqual(errors, []);
  });
}

test("the custom elements manifest says what the element has", LIMIT, async (t) => {
  const { page } = await libraryPage(t);
  const found = await page.evaluate(async () => {
    const { BigGanSampler } = await import("/lib/element.js");
    const { shadowRoot } = new BigGanSampler();
    const own = Object.getOwnPropertyDescriptors(BigGanSampler.prototype);
    const named = [...shadowRoot.querySelectorAll("[part]")].map((one) => one.getAttribute("part"));
    return {
      attributes: BigGanSampler.observedAttributes,
      readonly: Object.keys(own).filter((name) => own[name].get && !own[name].set),
      slots: [...shadowRoot.querySelectorAll("slot")].map(({ name }) => name),
      parts: [...new Set(named)],
      style: typeof BigGanSampler.worker,
    };
  });
  const { customElements: file } = manifest();
  const [{ declarations, path }] = JSON.parse(read(file)).modules;
  assert.ok(existsSync(join(LIB, path)));
  const [says] = declarations;
  const names = (list) => list.map(({ name }) => name).sort();
  assert.deepEqual(names(says.attributes), [...found.attributes].sort());
  assert.deepEqual(names(says.members.filter(({ readonly }) => readonly)), found.readonly.sort());
  assert.deepEqual(names(says.slots), found.slots.sort());
  // pictures are made when they are drawn
  assert.deepEqual(names(says.cssParts), [...found.parts, "image", "item"].sort());
  const types = read("element.d.ts");
  const events = /interface SamplerEventMap \{([^}]*)\}/.exec(types)[1];
  assert.deepEqual(names(says.events), [...events.matchAll(/(\w+):/g)].map(([, name]) => name).sort());
  const attributes = /interface SamplerAttributes \{([^}]*)\}/.exec(types)[1];
  assert.deepEqual(names(says.attributes), [...attributes.matchAll(/(\w+)\?:/g)].map(([, name]) => name).sort());
  const code = read("element.js");
  for (const { name } of says.cssProperties) assert.ok(code.includes(`var(${name}`), name);
});

test("each program has a source map with its sources, and no folder of the machine that built it", LIMIT, () => {
  for (const name of readdirSync(LIB).filter((name) => name.endsWith(".js") && name !== "cdn.js")) {
    const code = read(name);
    const map = /\/\/# sourceMappingURL=(\S+)\s*$/.exec(code)?.[1];
    // an entry that only names others has nothing to map
    if (!map) {
      assert.doesNotMatch(code, /function|=>|class /, name);
      continue;
    }
    const { sources, sourcesContent } = JSON.parse(read(map));
    assert.equal(sources.length, sourcesContent.length);
    const own = /^\.\.\/(src\/lib\/[\w/-]+\.ts|node_modules\/@(zip\.js|stablelib)\/[\w./-]+\.js)$/;
    for (const source of sources) assert.match(source, own);
  }
});

test("notices name the crates of the builds and the images that ship", LIMIT, () => {
  const text = read("THIRD-PARTY-NOTICES");
  for (const name of ["burn", "cubecl", "wgpu", "wasm-bindgen", "zune-jpeg"]) assert.match(text, new RegExp(`^${name} \\d`, "m"));
  assert.match(text, /Fashion-MNIST: MIT/);
  assert.match(text, /^train-zip\.js contains @zip\.js\/zip\.js \d.*: BSD-3-Clause/m);
  assert.match(text, /^The JavaScript contains @stablelib\/sha256 \d.*: MIT/m);
  assert.match(text, /Dmitry Chestnykh/);
  assert.match(text, /Gildas Lormeau/);
  assert.match(text, /Permission is hereby granted/);
  assert.match(text, /Apache License/);
  assert.doesNotMatch(text, /^(biggan|biggan-web) \d/m);
});

test("the README names every entry and every attribute, and sends nobody to files that are not there", LIMIT, () => {
  const text = read("README.md");
  const { exports } = manifest();
  for (const entry of Object.keys(exports).filter((name) => !/wasm|data|json/.test(name))) {
    assert.ok(text.includes(`\`biggan${entry.slice(1)}\``), entry);
  }
  const [{ declarations }] = JSON.parse(read("custom-elements.json")).modules;
  for (const { name } of declarations[0].attributes) assert.ok(text.includes(`\`${name}\``), name);
  for (const [, link] of text.matchAll(/\]\((?!#)([^)]*)\)/g)) assert.ok(existsSync(join(LIB, link)), link);
  assert.doesNotMatch(text, /docs\/|www\//);
});
