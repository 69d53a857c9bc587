/**
 * A page cannot start another origin's worker. So the package starts one from a `blob:` that imports its own; where the
 * page's policy forbids that, it computes on the main thread, unless the page serves such a worker: `?worker` here.
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
