/** `<biggan-sampler>` on a page with a strict policy. */

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import test from "node:test";
import { here, host, MODEL as SHIPPED, openPage, skip, STRICT } from "./lib-host.mjs";
import { renamed } from "./lib-shards.mjs";
import { rgbaOf } from "./png-files.mjs";

const LIMIT = { skip, timeout: 120_000 };
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const html = (body) => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8"><title>element</title>
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <script type="module" src="/lib/element.js"></script>
    <script src="/record.js"></script>
  </head>
  <body><main><h1>Element</h1>${body}</main></body>
</html>`;

/** Keeps the events of all elements in order. */
const RECORD = `
window.events = [];
for (const name of ["load", "progress", "sample", "error"]) {
  // a window hears no load of others
  document.addEventListener(name, (event) => {
    if (event.target.localName === "biggan-sampler") window.events.push([event.target.id, name]);
  }, true);
}`;

async function elementPage(t, body, { dark, width, height, args, files = {} } = {}) {
  const server = await host(t, {
    files: { "/element.html": html(body), "/record.js": RECORD, ...files },
    headers: { "Content-Security-Policy": STRICT },
  });
  const opened = await openPage(t, {
    args,
    viewport: { width: width ?? 800, height: height ?? 600 },
    colorScheme: dark ? "dark" : "light",
  });
  await opened.page.goto(`${server.origin}/element.html`);
  return { ...opened, ...server };
}

const MODEL = "/models/fashion32.safetensors";
const drawn = (page, id, alt) =>
  page.waitForFunction(
    ([id, alt]) => {
      const root = document.getElementById(id).shadowRoot;
      const all = [...root.querySelectorAll("canvas")];
      return (
        root.querySelector("[role=list]").getAttribute("aria-busy") === "false" &&
        all.length > 0 &&
        all.every((canvas) => canvas.ariaLabel === alt)
      );
    },
    [id, alt],
    { timeout: 60_000 },
  );

test("a label is what a class is on the command line: names that are numbers, lists, all, accents, ambiguous names", LIMIT, async (t) => {
  const names = ["1", "10", "11", "2", "all", "caf\u00e9", "tench, Tinca tinca", "crane", "crane", "A"];
  const model = renamed(readFileSync(SHIPPED), names);
  const { page, errors } = await elementPage(
    t,
    `<biggan-sampler id="one" src="/odd.safetensors" seed="7" loading="eager"></biggan-sampler>`,
    { files: { "/odd.safetensors": model } },
  );
  // without a class the first one, whatever the names
  await drawn(page, "one", "1, seed 7, truncation off");
  const said = (text) =>
    page.evaluate(async (text) => {
      const one = document.getElementById("one");
      const answer = new Promise((resolve) => {
        const said = ({ samples }) => samples.map(({ picture }) => picture.from.classes[0].class);
        one.addEventListener("sample", ({ detail }) => resolve(said(detail)), { once: true });
        one.addEventListener("error", ({ detail }) => resolve(detail.message), { once: true });
      });
      one.label = text;
      return answer;
    }, text);
  assert.deepEqual(await said("10"), [1]);
  assert.deepEqual(await said("2"), [3]);
  assert.deepEqual(await said("#2"), [2]);
  assert.match(await said("0"), /class "0" is unknown, and numbers are names here/);
  assert.deepEqual(await said("all"), [4]);
  assert.deepEqual(await said("*"), names.map((_, place) => place));
  assert.deepEqual(await said("cafe\u0301"), [5]);
  assert.deepEqual(await said("tench"), [6]);
  assert.deepEqual(await said("tench, tinca tinca,a"), [6, 9]);
  assert.match(await said("crane"), /class "crane" is the name of #7 crane; #8 crane; give one by its number, such as #7/);
  assert.deepEqual(await said("#8"), [8]);
  assert.deepEqual(errors, []);
});

test("draws what its attributes say, and again when they change", LIMIT, async (t) => {
  const { page, errors } = await elementPage(
    t,
    `<biggan-sampler id="one" src="${MODEL}" class="dress" seed="7" truncation="0.5" count="3"></biggan-sampler>`,
  );
  await drawn(page, "one", "Dress, seed 7, truncation 0.5");
  const images = page
    .getByRole("list", { name: "Samples" })
    .getByRole("img", { name: "Dress, seed 7, truncation 0.5" });
  assert.equal(await images.count(), 3);
  const names = await page.evaluate(() => [...new Set(events.map(([, name]) => name))]);
  assert.deepEqual(names, ["progress", "load", "sample"]);

  const reflected = await page.evaluate(() => {
    const one = document.getElementById("one");
    events.length = 0;
    // several changes of a turn are one drawing
    Object.assign(one, { class: 9, seed: 2n ** 64n - 1n, truncation: null, count: 2 });
    return ["class", "seed", "truncation", "count"].map((name) =>
      [one.getAttribute(name), one[name]].map(String),
    );
  });
  assert.deepEqual(reflected, [
    ["9", "9"],
    ["18446744073709551615", "18446744073709551615"],
    ["null", "null"],
    ["2", "2"],
  ]);
  await drawn(page, "one", "Ankle boot, seed 18446744073709551615, truncation off");
  assert.deepEqual(await page.evaluate(() => events), [["one", "sample"]]);

  const blob = await page.evaluate(async () => {
    const one = document.getElementById("one");
    one.count = 5;
    // waits for what was just asked for
    const png = await one.toBlob();
    const bitmap = await createImageBitmap(png);
    return {
      type: png.type,
      size: [bitmap.width, bitmap.height],
      count: one.samples.samples.length,
    };
  });
  assert.deepEqual(blob, { type: "image/png", size: [96, 64], count: 5 });
  assert.deepEqual(errors, []);
});

test(
  "several elements of one model share one worker, which ends with the last",
  LIMIT,
  async (t) => {
    const { page, log } = await elementPage(
      t,
      ["Bag", "Coat", "Shirt"]
        .map(
          (name) => `<biggan-sampler id="${name}" src="${MODEL}" class="${name}"></biggan-sampler>`,
        )
        .join(""),
    );
    for (const name of ["Bag", "Coat", "Shirt"])
      await drawn(page, name, `${name}, seed 0, truncation off`);
    assert.equal(page.workers().length, 1);
    assert.equal(log.filter(({ path }) => path === MODEL).length, 1);
    const same = await page.evaluate(
      () =>
        new Set([...document.querySelectorAll("biggan-sampler")].map((one) => one.generator)).size,
    );
    assert.equal(same, 1);
    await page.evaluate(() => {
      // one that moves keeps its generator
      const bag = document.getElementById("Bag");
      window.before = bag.generator;
      events.length = 0;
      document.querySelector("main").append(bag);
      document.getElementById("Coat").remove();
      document.getElementById("Shirt").remove();
    });
    await page.waitForFunction(() => events.some(([, name]) => name === "sample"));
    assert.equal(await page.evaluate(() => document.getElementById("Bag").generator === before), true);
    assert.equal(page.workers().length, 1);
    const ended = page.workers()[0].waitForEvent("close");
    await page.evaluate(() => document.getElementById("Bag").remove());
    await ended;
    assert.equal(page.workers().length, 0);
  },
);

test("loads when it comes near the window, or at once when it is eager", LIMIT, async (t) => {
  const { page, log } = await elementPage(t, "", { height: 400 });
  await page.evaluate((src) => {
    document.querySelector("main").style.paddingTop = "3000px";
    const far = document.createElement("biggan-sampler");
    Object.assign(far, { id: "later", src, class: "Coat" });
    far.append(Object.assign(document.createElement("p"), { slot: "poster", textContent: "Soon" }));
    document.querySelector("main").append(far);
  }, MODEL);
  await page.waitForTimeout(500);
  assert.deepEqual(
    log.filter(({ path }) => path === MODEL || path.endsWith(".wasm")),
    [],
  );
  assert.equal(await page.getByText("Soon").isVisible(), true);
  await page.evaluate(() => document.getElementById("later").scrollIntoView());
  await drawn(page, "later", "Coat, seed 0, truncation off");
  assert.equal(
    await page.getByText("Soon").isVisible(),
    false,
    "the poster goes with the first pictures",
  );
  await page.evaluate((src) => {
    scrollTo(0, 0);
    const eager = document.createElement("biggan-sampler");
    Object.assign(eager, { id: "eager", src, class: "Shirt", loading: "eager" });
    document.querySelector("main").append(eager);
  }, MODEL);
  await drawn(page, "eager", "Shirt, seed 0, truncation off");
});

test("says what is wrong, and goes on when it is mended", LIMIT, async (t) => {
  const { page } = await elementPage(
    t,
    `<biggan-sampler id="one" src="/missing.safetensors" class="Bag"></biggan-sampler>`,
  );
  const alert = page.getByRole("alert");
  await alert.waitFor();
  assert.match(await alert.textContent(), /the server answered 404/);
  await page.evaluate((src) => {
    const one = document.getElementById("one");
    one.addEventListener("error", ({ detail }) => {
      window.failure = [detail.code, detail.field];
    });
    one.src = src;
    one.label = "Zebra";
  }, MODEL);
  await page.waitForFunction(() => window.failure);
  assert.deepEqual(await page.evaluate(() => failure), ["bad-request", "class"]);
  await page.evaluate(() => {
    document.getElementById("one").label = "Bag";
  });
  await drawn(page, "one", "Bag, seed 0, truncation off");
  assert.equal(await alert.isVisible(), false);
});

test("names of styles in the attribute class are no classes, and a change of them draws nothing", LIMIT, async (t) => {
  const { page, errors } = await elementPage(
    t,
    `<biggan-sampler id="styles" class="w-full" src="${MODEL}" loading="eager"></biggan-sampler>
     <biggan-sampler id="both" class="mt-4 Ankle boot w-full" src="${MODEL}" loading="eager"></biggan-sampler>
     <biggan-sampler id="label" class="w-full" label="Bag" src="${MODEL}" loading="eager"></biggan-sampler>`,
  );
  await drawn(page, "styles", "T-shirt/top, seed 0, truncation off");
  await drawn(page, "both", "Ankle boot, seed 0, truncation off");
  await drawn(page, "label", "Bag, seed 0, truncation off");
  assert.equal(await page.evaluate(() => events.filter(([, name]) => name === "error").length), 0);
  const busy = await page.evaluate(() => {
    events.length = 0;
    return [...document.querySelectorAll("biggan-sampler")].map((one) => {
      one.classList.add("hover");
      one.classList.toggle("w-full");
      return one.shadowRoot.querySelector("[role=list]").getAttribute("aria-busy");
    });
  });
  assert.deepEqual(busy, ["false", "false", "false"]);
  // nor does it end a drawing that is under way
  await page.evaluate(async () => {
    const one = document.getElementById("label");
    one.seed = 9;
    await Promise.resolve();
    one.classList.toggle("active");
    await one.toBlob();
  });
  assert.deepEqual(await page.evaluate(() => events), [["label", "sample"]]);
  // what names a class still counts where there is no label
  await page.evaluate(() => {
    document.getElementById("styles").className = "Dress active";
    document.getElementById("label").className = "Dress";
  });
  await drawn(page, "styles", "Dress, seed 0, truncation off");
  await drawn(page, "label", "Bag, seed 9, truncation off");
  assert.deepEqual(errors, []);
});

test("without src there are no pictures, no generator and no worker", LIMIT, async (t) => {
  const { page, errors } = await elementPage(
    t,
    `<biggan-sampler id="one" src="${MODEL}" class="Bag" loading="eager" controls><p slot="poster">Soon</p></biggan-sampler>`,
  );
  await drawn(page, "one", "Bag, seed 0, truncation off");
  const ended = page.workers()[0].waitForEvent("close");
  const left = await page.evaluate(async () => {
    const one = document.getElementById("one");
    one.removeAttribute("src");
    const failure = await one.toBlob().catch(({ code }) => code);
    const { disabled } = [...one.shadowRoot.querySelectorAll("button")].at(-1);
    return [one.generator, one.samples, one.shadowRoot.querySelectorAll("canvas").length, failure, disabled];
  });
  assert.deepEqual(left, [undefined, undefined, 0, "bad-request", true]);
  assert.equal(await page.getByText("Soon").isVisible(), true);
  await ended;
  await page.evaluate((src) => (document.getElementById("one").src = src), MODEL);
  await drawn(page, "one", "Bag, seed 0, truncation off");
  assert.equal(page.workers().length, 1);
  assert.deepEqual(errors, []);
});

test("after a drawing that failed there are no pictures of the one before", LIMIT, async (t) => {
  const { page } = await elementPage(
    t,
    `<biggan-sampler id="one" src="${MODEL}" label="Bag" loading="eager" controls></biggan-sampler>`,
  );
  await drawn(page, "one", "Bag, seed 0, truncation off");
  const left = await page.evaluate(async () => {
    const one = document.getElementById("one");
    one.truncation = -1;
    const failure = await one.toBlob().catch(({ code, field }) => `${code} ${field}`);
    return [failure, one.samples, one.shadowRoot.querySelectorAll("canvas").length];
  });
  assert.deepEqual(left, ["bad-request truncation", undefined, 0]);
  assert.equal(await page.getByRole("button", { name: "Save PNG" }).isDisabled(), true);
  await page.evaluate(() => (document.getElementById("one").truncation = 0.5));
  await drawn(page, "one", "Bag, seed 0, truncation 0.5");
});

test("in another document it keeps its style", LIMIT, async (t) => {
  const { page, errors } = await elementPage(
    t,
    `<iframe></iframe><biggan-sampler id="one" src="${MODEL}" class="Bag" loading="eager"></biggan-sampler>`,
  );
  await drawn(page, "one", "Bag, seed 0, truncation off");
  const displays = await page.evaluate(async () => {
    const one = document.getElementById("one");
    const display = () => {
      const view = one.ownerDocument.defaultView;
      return view.getComputedStyle(one.shadowRoot.querySelector("[part=grid]")).display;
    };
    const all = [display()];
    const inner = document.querySelector("iframe").contentDocument;
    for (const place of [inner.body, document.body]) {
      place.append(one);
      await one.toBlob();
      all.push(display());
    }
    return all;
  });
  assert.deepEqual(displays, ["grid", "grid", "grid"]);
  assert.deepEqual(errors, []);
});

/** A browser that answers with noise what a page reads of a canvas, as Firefox does to resist fingerprinting. */
const NOISY_CANVAS = `
const noise = (read) => function (...given) {
  const image = read.apply(this, given);
  for (let place = 0; place < image.data.length; place++) image.data[place] = Math.random() * 256;
  return image;
};
for (const { prototype } of [CanvasRenderingContext2D, OffscreenCanvasRenderingContext2D]) {
  prototype.getImageData = noise(prototype.getImageData);
}
OffscreenCanvas.prototype.convertToBlob = async () => new Blob(["stripes"]);`;

test("a PNG holds the very pixels, whatever the browser makes of a canvas; another type is refused then", LIMIT, async (t) => {
  const { page } = await elementPage(
    t,
    `<biggan-sampler id="one" src="${MODEL}" class="Bag" count="3" loading="eager"></biggan-sampler>`,
  );
  await drawn(page, "one", "Bag, seed 0, truncation off");
  const jpeg = await page.evaluate(async () => (await document.getElementById("one").toBlob("image/jpeg", 0.5)).type);
  assert.equal(jpeg, "image/jpeg");
  await page.evaluate(NOISY_CANVAS);
  const { file, failure, expected } = await page.evaluate(async () => {
    const one = document.getElementById("one");
    const file = [...new Uint8Array(await (await one.toBlob()).arrayBuffer())];
    const failure = await one.toBlob("image/jpeg").catch(({ code, message }) => ({ code, message }));
    return { file, failure, expected: one.samples.samples.map(({ image }) => [...image.data]) };
  });
  assert.equal(failure.code, "unsupported");
  assert.match(failure.message, /give "image\/png"/);
  const { width, height, data } = rgbaOf(Buffer.from(file));
  assert.deepEqual([width, height], [64, 64]);
  const square = (left, top) =>
    Array.from({ length: 32 }, (_, y) => [
      ...data.subarray(4 * (64 * (top + y) + left), 4 * (64 * (top + y) + left + 32)),
    ]).flat();
  assert.deepEqual([square(0, 0), square(32, 0), square(0, 32)], expected);
  assert.deepEqual(new Set(square(32, 32)), new Set([0]));
});

test("its buttons work by keyboard, and axe finds nothing", LIMIT, async (t) => {
  const { page, errors } = await elementPage(
    t,
    `<biggan-sampler id="one" src="${MODEL}" class="Bag" seed="1" count="2" controls></biggan-sampler>`,
  );
  await drawn(page, "one", "Bag, seed 1, truncation off");
  await page.keyboard.press("Tab");
  const focused = () =>
    page.evaluate(() => document.activeElement.shadowRoot?.activeElement?.textContent);
  assert.equal(await focused(), "New seed");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.getElementById("one").seed !== 1);
  const seed = await page.evaluate(() => document.getElementById("one").seed);
  await drawn(page, "one", `Bag, seed ${seed}, truncation off`);
  await page.keyboard.press("Tab");
  assert.equal(await focused(), "Save PNG");
  const downloading = page.waitForEvent("download");
  await page.keyboard.press("Space");
  assert.equal((await downloading).suggestedFilename(), `biggan-seed-${seed}.png`);
  const { violations } = await page.evaluate(`${AXE}; axe.run()`);
  assert.deepEqual(
    violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]),
    [],
  );
  assert.deepEqual(errors, []);
});

for (const [width, height] of [
  [390, 844],
  [1280, 800],
  [2560, 1300],
]) {
  for (const dark of [false, true]) {
    const name = `element-${width}-${dark ? "dark" : "light"}`;
    test(`looks: ${name}`, LIMIT, async (t) => {
      const { page } = await elementPage(
        t,
        `<biggan-sampler id="one" src="${MODEL}" class="Sneaker" seed="1" truncation="1" count="12" controls></biggan-sampler>`,
        { width, height, dark },
      );
      await drawn(page, "one", "Sneaker, seed 1, truncation 1");
      const overflow = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      assert.equal(overflow, 0, "the page scrolls sideways");
      const folder = here("shots/");
      mkdirSync(folder, { recursive: true });
      await page.screenshot({ path: `${folder}${name}.png` });
    });
  }
}
