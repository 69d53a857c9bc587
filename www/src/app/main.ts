/** The page: controls on one side, samples on the other, a generator in a worker between them. */

import { createGenerator, type Generator, type SampleRequest } from "../lib/index.js";
import { wantedBackend } from "./address.js";
import { Controls } from "./controls.js";
import { element } from "./element.js";
import { Gallery } from "./gallery.js";
import { Latest } from "./latest.js";
import { savePng } from "./png.js";
import * as status from "./status.js";

const MODEL = new URL("./models/fashion32.safetensors", document.baseURI);

const gallery = new Gallery();
const save = element("save", HTMLButtonElement);
save.addEventListener("click", () => {
  if (gallery.shown) savePng(gallery.shown).catch(status.showProblem);
});

try {
  const generator = await createGenerator({
    model: MODEL,
    backend: wantedBackend(location.search),
    onProgress: status.showProgress,
    onChoice: status.showChoice,
  });
  start(generator);
} catch (error) {
  gallery.busy = false;
  status.showFailure("Not started.", error);
}

function start(generator: Generator): void {
  status.showModel(generator.info);
  status.showChoice(generator.choice);
  const latest = new Latest<SampleRequest>((request) => draw(generator, request));
  const controls = new Controls(generator.info, () => {
    const request = controls.request();
    if (request) latest.push(request);
  });
  const first = controls.request();
  if (!first) return;
  gallery.expect(first.count);
  latest.push(first);
}

async function draw(generator: Generator, request: SampleRequest): Promise<void> {
  gallery.busy = true;
  try {
    const samples = await generator.sample(request);
    const className = generator.info.classNames[request.classIndex] ?? "";
    await gallery.show({ request, className, samples });
    status.clearProblem();
    status.showTiming(samples);
    save.disabled = false;
  } catch (error) {
    status.showProblem(error);
  }
  gallery.busy = false;
}
