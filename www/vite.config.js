import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** The model that the page loads: the one that ships, or the file that the build names. */
const MODEL = process.env.BIGGAN_MODEL ?? here("../models/fashion32.safetensors");
const MODEL_URL = "models/fashion32.safetensors";

/** Serves the model in development and puts it into the build. */
function model() {
  return {
    name: "model",
    configureServer(server) {
      server.middlewares.use(`/${MODEL_URL}`, (_, response) => {
        response.setHeader("Content-Type", "application/octet-stream");
        response.end(readFileSync(MODEL));
      });
    },
    generateBundle() {
      if (!existsSync(MODEL)) {
        this.error(`there is no model at ${MODEL}; name one in BIGGAN_MODEL`);
      }
      this.emitFile({ type: "asset", fileName: MODEL_URL, source: readFileSync(MODEL) });
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
 * its data, the builds that train, those for the GPU, and the check.
 */
const ON_DEMAND = /(^|\/)(train[.-]|pictures|sample-webgpu|check)|\.pack\b/;

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
  plugins: [beingMade(), model(), contentSecurityPolicy(), serviceWorker()],
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
