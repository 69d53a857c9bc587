/**
 * A page cannot start another origin's worker. So the package computes on the main thread, a few pictures at a time;
 * or, with `?worker` here, in a worker of the page's own that imports the package's.
 */

import { createGenerator } from "biggan";
import { BigGanSampler } from "biggan/element";

const own = new URLSearchParams(location.search).has("worker");
const worker = own
  ? () => new Worker(new URL("./worker.js", import.meta.url), { type: "module" })
  : "auto";
const model = "https://packages.example/models/fashion32.safetensors";

BigGanSampler.worker = worker;
document.querySelector("biggan-sampler").src = model;

const generator = await createGenerator({ model, worker });
const { samples } = await generator.sample({ class: "Coat", seed: 3, count: 16 });
const { place, placeReason } = generator.info.running;
const where = place === "main" ? "on the main thread" : "in a worker";
document.getElementById("status").textContent =
  `${samples.length} pictures ${where}: ${placeReason}`;
generator.dispose();
