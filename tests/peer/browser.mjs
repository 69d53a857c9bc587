/**
 * A player of `cargo xtask bench` in Chromium, with one thread:
 *
 *     browser.mjs ours|onnx PACKAGE MODULES MODEL LATENTS IMAGES
 *
 * PACKAGE is our built package, MODULES a folder with node_modules of playwright-core and onnxruntime-web, MODEL a model
 * file or its graph, LATENTS the z and classes of seed 7. Their images, rounded to pixels, are written to IMAGES; then it
 * plays (player.py).
 */

import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { extname, join, normalize } from "node:path";
import { createInterface } from "node:readline";

const [who, library, modules, model, latents, images] = process.argv.slice(2);
const require = createRequire(join(modules, "package.json"));
const { chromium } = require("playwright-core");

/** The seed of tests/bin/speed.rs. */
const SEED = 7;
/** As in player.py, in milliseconds. */
const [LONG, TURN] = [500, 150];
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm" };

/** The f32 tensors of a safetensors file by name: shape and values. */
function tensors(path) {
  const file = readFileSync(path);
  const head = 8 + Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.subarray(8, head));
  delete header.__metadata__;
  const read = ({ shape, data_offsets: [from, to] }) => {
    const bytes = file.subarray(head + from, head + to);
    return { shape, values: Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i)) };
  };
  return Object.fromEntries(Object.entries(header).map(([name, entry]) => [name, read(entry)]));
}

function writeImages(path, shape, values) {
  const bytes = Buffer.from(Float32Array.from(values).buffer);
  const header = Buffer.from(JSON.stringify({ image: { dtype: "F32", shape, data_offsets: [0, bytes.length] } }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  writeFileSync(path, Buffer.concat([length, header, bytes]));
}

/** Serves the folders and the model. */
async function serve() {
  const folders = { "/lib/": library, "/ort/": join(modules, "node_modules/onnxruntime-web/dist/") };
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, "http://host").pathname));
    const folder = Object.keys(folders).find((prefix) => path.startsWith(prefix));
    let body = "<!doctype html><title>bench</title>";
    try {
      if (path === "/model") body = readFileSync(model);
      else if (folder) body = readFileSync(join(folders[folder], path.slice(folder.length)));
      else if (path !== "/") throw new Error("not here");
    } catch {
      response.writeHead(404).end();
      return;
    }
    response.setHeader("content-type", TYPES[path === "/" ? ".html" : extname(path)] ?? "application/octet-stream");
    response.setHeader("content-length", Buffer.byteLength(body));
    response.end(body);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${server.address().port}/`;
}

const { z, class_vector: classes } = tensors(latents);
const [count, width] = classes.shape;
const labels = Array.from({ length: count }, (_, row) => {
  const weights = classes.values.slice(row * width, (row + 1) * width);
  return weights.indexOf(Math.max(...weights));
});

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-quic"],
});
const page = await browser.newPage();
await page.goto(await serve());

/** Megabytes of the pages' processes: a line of the system's account of each. */
async function megabytes(line) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  const of = ({ id }) => {
    try {
      return Number(new RegExp(`${line}:\\s+(\\d+)`).exec(readFileSync(`/proc/${id}/status`))?.[1] ?? 0);
    } catch {
      return 0;
    }
  };
  const pages = processInfo.filter(({ type }) => type === "renderer");
  return (pages.reduce((sum, each) => sum + of(each), 0) * 1024) / 1e6;
}
const before = await megabytes("VmRSS");

/** Both give the page a function `work`, and draw once: pixels, `[count, 3, side, side]`. */
const starts = {
  async ours({ labels, seed }) {
    const { createGenerator } = await import("/lib/index.js");
    const generator = await createGenerator({ model: "/model", backend: "cpu", cache: false });
    const pictures = labels.map((label, index) => ({
      from: { classes: [{ class: label, weight: 1 }], z: { seed, index } },
    }));
    globalThis.work = () => generator.draw({ pictures, truncation: null });
    const { samples } = await globalThis.work();
    const side = samples[0].image.width;
    const pixels = samples.flatMap(({ image }) =>
      [0, 1, 2].flatMap((channel) => Array.from({ length: side * side }, (_, at) => image.data[4 * at + channel])),
    );
    return { side, pixels };
  },
  async onnx({ z, classes }) {
    const ort = await import("/ort/ort.wasm.min.mjs");
    ort.env.wasm.numThreads = 1;
    ort.env.wasm.wasmPaths = "/ort/";
    const session = await ort.InferenceSession.create("/model", { executionProviders: ["wasm"] });
    const tensor = ({ shape, values }) => new ort.Tensor("float32", Float32Array.from(values), shape);
    const feeds = { z: tensor(z), class_weights: tensor(classes) };
    globalThis.work = () => session.run(feeds);
    const { image } = await globalThis.work();
    const pixel = (value) => Math.round((Math.min(Math.max(value, -1), 1) + 1) * 127.5);
    return { side: image.dims[2], pixels: Array.from(image.data, pixel) };
  },
};
const { side, pixels } = await page.evaluate(starts[who], { labels, seed: SEED, z, classes });
writeImages(images, [count, 3, side, side], pixels.map((pixel) => pixel / 127.5 - 1));

/** Milliseconds of a run, the mean of a turn. */
const timed = () =>
  page.evaluate(
    async ([long, turn]) => {
      const once = async () => {
        const start = performance.now();
        await globalThis.work();
        return performance.now() - start;
      };
      let times = [await once()];
      const sum = () => times.reduce((a, b) => a + b, 0);
      if (times[0] < long) {
        times = [];
        while (sum() < turn) times.push(await once());
      }
      return sum() / times.length;
    },
    [LONG, TURN],
  );

console.log("ready");
for await (const line of createInterface({ input: process.stdin })) {
  console.log(line.trim() === "go" ? await timed() : (await megabytes("VmHWM")) - before);
}
await browser.close();
process.exit();
