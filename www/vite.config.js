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

/** What the built page may do: its own files and wasm, nothing else. Development needs inline styles. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "connect-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

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

export default defineConfig({
  root: here("."),
  // relative addresses: the build works below any path
  base: "./",
  plugins: [model(), contentSecurityPolicy()],
  worker: { format: "es" },
  build: {
    target: "es2023",
    // an inlined asset would need a wider policy
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: { input: { index: here("index.html"), check: here("check.html") } },
  },
});
