/** Servers and a browser for the package's tests. */

import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { CHROMIUM, skip as noBrowser } from "./site.mjs";

export const here = (path) => fileURLToPath(new URL(path, import.meta.url));
export const LIB = here("../lib/");
export const MODEL = here("../../models/fashion32.safetensors");

/** Why the tests of the package cannot run, or false. */
export const skip =
  noBrowser || (existsSync(LIB) ? false : `no package in ${LIB}: run npm run build:lib`);

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/**
 * Why a test of a build cannot run, or false. `BIGGAN_ALL_BUILDS` is set where a missing build is a fault.
 */
export const without = (build) =>
  !existsSync(join(LIB, "wasm", build)) &&
  !process.env.BIGGAN_ALL_BUILDS &&
  `no build ${build} here: run cargo xtask web`;

/** What a strict page allows: its own files and wasm. Nothing inline, no blob: worker. */
export const STRICT = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "connect-src 'self'",
].join("; ");

const BLANK =
  '<!doctype html><html lang="en"><meta charset="utf-8"><title>test</title><body></body></html>';

/**
 * Serves folders and bytes below their paths. `files` maps a path, or one that ends in `/`, to bytes, a folder, or a
 * function of the request; `headers` go with each answer.
 */
export async function host(t, { files = {}, headers = {} } = {}) {
  const all = {
    "/": BLANK,
    "/favicon.ico": "",
    "/lib/": LIB,
    "/models/fashion32.safetensors": () => readFileSync(MODEL),
    ...files,
  };
  const log = [];
  const server = createServer((request, response) => {
    const path = decoded(new URL(request.url, "http://host").pathname);
    log.push({ path, method: request.method, range: request.headers.range ?? null });
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    const found = find(all, path);
    if (typeof found === "function") {
      const body = found(request, response);
      if (body !== undefined) send(request, response, path, Buffer.from(body));
    } else if (found === undefined) response.writeHead(404).end();
    else send(request, response, path, found);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return { origin: `http://127.0.0.1:${server.address().port}`, log, files: all };
}

/** A % may stand for itself. */
function decoded(path) {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function find(files, path) {
  if (files[path] !== undefined && !isFolder(files[path])) return bytes(files[path]);
  for (const [prefix, folder] of Object.entries(files)) {
    if (prefix === "/" || !prefix.endsWith("/") || !path.startsWith(prefix)) continue;
    const file = join(folder, normalize(`/${path.slice(prefix.length)}`));
    const index = file.endsWith("/") ? join(file, "index.html") : file;
    if (existsSync(index) && statSync(index).isFile()) return readFileSync(index);
  }
  return undefined;
}

const isFolder = (value) => typeof value === "string" && value.startsWith("/");
const bytes = (value) => (typeof value === "string" ? Buffer.from(value) : value);

/** Answers as a file server does: ETag, Range, HEAD. */
export function send(request, response, path, body) {
  const type =
    TYPES[extname(path)] ?? (path.endsWith("/") ? TYPES[".html"] : "application/octet-stream");
  response.setHeader("Content-Type", type);
  response.setHeader("Accept-Ranges", "bytes");
  response.setHeader("ETag", `"${createHash("sha256").update(body).digest("hex").slice(0, 16)}"`);
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
  const from = range ? Number(range[1]) : 0;
  const to = Math.min(range?.[2] ? Number(range[2]) + 1 : body.length, body.length);
  if (range && from >= body.length) return response.writeHead(416).end();
  if (range) response.setHeader("Content-Range", `bytes ${from}-${to - 1}/${body.length}`);
  response.writeHead(range ? 206 : 200, { "Content-Length": to - from });
  return response.end(request.method === "HEAD" ? undefined : body.subarray(from, to));
}

const ALWAYS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-quic"];

/**
 * A page of a browser of its own, which ends with the test; `errors` are those of the page. A browser with a folder keeps
 * there what any other keeps in memory, as for a private window.
 */
export async function openPage(t, { args = [], folder, ...context } = {}) {
  const options = { executablePath: CHROMIUM, args: [...ALWAYS, ...args] };
  const made = folder
    ? await chromium.launchPersistentContext(folder, { ...options, ...context })
    : await (await chromium.launch(options)).newContext(context);
  const browser = made.browser();
  t.after(() => browser.close());
  return { browser, context: made, ...(await newPage(made)) };
}

export async function newPage(context) {
  const page = await context.newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  return { page, errors };
}

/** A strict host and a page of it with the library as `biggan`. */
export async function libraryPage(t, { args, folder, files, policy = STRICT } = {}) {
  const server = await host(t, { files, headers: { "Content-Security-Policy": policy } });
  const opened = await openPage(t, { args, folder });
  await load(opened.page, server.origin);
  return { ...opened, ...server };
}

/** Opens a blank page and gives it helpers. */
export async function load(page, origin) {
  await page.goto(`${origin}/`);
  await page.evaluate(async () => {
    const library = await import("/lib/index.js");
    const bytes = ({ samples }) => samples.map(({ image }) => [...image.data]);
    const progress = [];
    globalThis.biggan = {
      ...library,
      bytes,
      progress,
      /** A generator of the shipped model on the CPU. */
      make: (options = {}) =>
        library.createGenerator({
          model: "/models/fashion32.safetensors",
          backend: "cpu",
          onProgress: (event) => progress.push(event),
          ...options,
        }),
      /** What an error says of itself. */
      failure: (promise) =>
        promise.then(
          () => "no error",
          (error) => ({
            name: error.name,
            code: error.code,
            field: error.field,
            numbers: error.numbers,
            message: error.message,
          }),
        ),
    };
  });
}
