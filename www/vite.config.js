import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { libraryNotices } from "./notices.js";
import { site } from "./site.js";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** Models that the page offers: the first is its own, unless the build names another file in its place. */
const MODELS = JSON.parse(readFileSync(here("../models/index.json"), "utf8"));
const [OWN] = MODELS;
const OWN_PATH = here(`../models/${OWN.file}`);
const LOADED = resolve(process.env.BIGGAN_MODEL ?? OWN_PATH);
if (LOADED !== OWN_PATH) MODELS[0] = { name: "This page’s model", file: OWN.file };

/** Models that ship, by their address. */
const SHIPPED = new Map(
  MODELS.filter(({ file }) => !URL.canParse(file)).map(({ file }) => [
    `models/${file}`,
    file === OWN.file ? LOADED : here(`../models/${file}`),
  ]),
);

/** Serves the models in development and puts them into the build. */
function models() {
  return {
    name: "models",
    configureServer(server) {
      for (const [address, path] of SHIPPED) {
        server.middlewares.use(`/${address}`, (_, response) => {
          response.setHeader("Content-Type", "application/octet-stream");
          response.end(readFileSync(path));
        });
      }
    },
    generateBundle() {
      for (const [fileName, path] of SHIPPED) {
        if (!existsSync(path)) this.error(`there is no model at ${path}; name one in BIGGAN_MODEL`);
        this.emitFile({ type: "asset", fileName, source: readFileSync(path) });
      }
    },
  };
}

/** What the built page may do: its own files and wasm, and models from where the visitor says. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "connect-src 'self' https:",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/** Development needs inline styles. */
function contentSecurityPolicy() {
  return {
    name: "content-security-policy",
    apply: "build",
    transformIndexHtml: () => [
      {
        tag: "meta",
        attrs: { "http-equiv": "Content-Security-Policy", content: POLICY },
        injectTo: "head-prepend",
      },
    ],
  };
}

/**
 * What a page fetches where it needs it, so that a service worker must not fetch it ahead: the training page with
 * its data, the builds that train, those for the GPU, clips, notices, and the check; and models other than the page's own.
 */
const ON_DEMAND = /(^|\/)(train[.-]|pictures|sample-webgpu|sample-cpu-relaxed|check|clip|THIRD-PARTY)|\.pack\b/;

/** Whose code is in the page. */
const libraries = () => ({
  name: "libraries",
  apply: "build",
  generateBundle() {
    this.emitFile({ type: "asset", fileName: NOTICES, source: libraryNotices(here(".")) });
  },
});
const NOTICES = "THIRD-PARTY-NOTICES.txt";

/** The service worker, with the names of the files that it keeps and a version that changes with them. */
function serviceWorker() {
  const source = here("src/app/offline/service_worker.js");
  return {
    name: "service-worker",
    apply: "build",
    generateBundle: {
      order: "post",
      handler(_, bundle) {
        const program = readFileSync(source, "utf8");
        const files = Object.values(bundle)
          .filter(({ fileName }) => !ON_DEMAND.test(fileName) && !fileName.endsWith(".map"))
          .filter(({ fileName }) => !SHIPPED.has(fileName) || fileName === `models/${OWN.file}`)
          .map((file) => [file.fileName, file.type === "chunk" ? file.code : file.source]);
        files.push(["icon.svg", readFileSync(here("public/icon.svg"))]);
        files.sort(([a], [b]) => (a < b ? -1 : 1));
        const hash = createHash("sha256").update(program);
        for (const [name, content] of files) hash.update(name).update(content);
        const version = hash.digest("hex").slice(0, 16);
        const names = JSON.stringify(files.map(([name]) => name));
        this.emitFile({
          type: "asset",
          fileName: "service-worker.js",
          source: `const VERSION = "${version}";\nconst FILES = ${names};\n${program}`,
        });
      },
    },
  };
}

/** The wasm builds have the same file names: those of their folders tell them apart. */
const FOLDER = /pkg\/([\w-]+)\/biggan_web/;

/** Builds that `cargo xtask demo` makes behind the page that it serves: src/app/being-made.ts says so. */
const BEING_MADE = (process.env.VITE_BEING_MADE ?? "").split(",");

/** Puts a module that fails in the place of a build that is not there yet. */
const beingMade = () => ({
  name: "being-made",
  enforce: "pre",
  resolveId(source) {
    const name = FOLDER.exec(source)?.[1];
    return BEING_MADE.includes(name) ? `\0pkg/${name}/biggan_web` : null;
  },
  load: (id) => (id.startsWith("\0pkg/") ? 'throw new Error("this build is being made");' : null),
});

/** The name of a chunk that only training needs begins with `train`. */
const chunkName = (modules) => {
  const trains = modules.every((id) => /\/lib\/train\/(?!train-)/.test(id));
  return trains ? "train-[name]" : "[name]";
};
const output = {
  chunkFileNames: ({ facadeModuleId, moduleIds }) =>
    `assets/${FOLDER.exec(facadeModuleId ?? "")?.[1] ?? chunkName(moduleIds)}-[hash].js`,
  assetFileNames: ({ originalFileNames = [] }) =>
    `assets/${FOLDER.exec(originalFileNames[0] ?? "")?.[1] ?? "[name]"}-[hash][extname]`,
};

export default defineConfig({
  root: here("."),
  // relative addresses: the build works below any path
  base: "./",
  define: { MODELS: JSON.stringify(MODELS) },
  plugins: [beingMade(), models(), libraries(), site(), contentSecurityPolicy(), serviceWorker()],
  worker: { format: "es", plugins: () => [beingMade()], rollupOptions: { output } },
  build: {
    target: "es2023",
    // an inlined asset would need a wider policy
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: { index: here("index.html"), train: here("train.html"), check: here("check.html") },
      output,
    },
  },
});
