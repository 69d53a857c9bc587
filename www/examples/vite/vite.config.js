/** @type {import("vite").UserConfig} */
export default {
  // the development server's copies of packages lose their workers and wasm files
  optimizeDeps: { exclude: ["biggan"] },
  worker: { format: "es" },
  build: { target: "es2023" },
};
