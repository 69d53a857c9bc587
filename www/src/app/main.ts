/** The page: a state, the views that show it, and a generator that draws it. */

import { createGenerator, type Generator, type LoadProgress } from "../lib/index.js";
import { wantedBackend } from "./address.js";
import { Controls } from "./controls/controls.js";
import { fileName } from "./describe.js";
import { DrawnCache } from "./drawn.js";
import { element } from "./element.js";
import { asksForHandedOver, handedOver, TRAINED_NAME } from "./handover.js";
import { History } from "./history.js";
import { decode, encode } from "./link.js";
import { showCard } from "./model/card.js";
import { Opener } from "./model/opener.js";
import { addressOf, modelOf, nameOf, type Source } from "./model/source.js";
import { dismiss, notify } from "./notices.js";
import { worksOffline } from "./offline/register.js";
import { Painter } from "./painter.js";
import { download } from "./save-file.js";
import { sentenceOf } from "./sentence.js";
import { share } from "./share.js";
import { sheet } from "./sheet.js";
import {
  DEFAULT_STATE,
  fit,
  misfits,
  MODEL_ID_DIGITS,
  type State,
  type View as ViewName,
} from "./state.js";
import * as status from "./status.js";
import { Tabs } from "./tabs.js";
import { BetweenView } from "./views/between_view.js";
import { BreedingView } from "./views/breeding_view.js";
import { Picked } from "./views/picked.js";
import { SamplesView } from "./views/samples_view.js";
import { TruncationsView } from "./views/truncations_view.js";
import type { View } from "./views/view.js";

/** Whether the address is replaced in the browser's history or gets a new entry. */
type Entry = "same entry" | "new entry";

let state: State = DEFAULT_STATE;
let generator: Generator | undefined;
let source: Source = { kind: "shipped" };
/** The current load: a newer one aborts it. */
let loading = new AbortController();
/** A link that arrived before a model was loaded. */
let waiting: State | undefined;
/** Whether to save once the pictures have arrived. */
let saveWhenDone = false;

const cache = new DrawnCache();
const painter = new Painter(cache, {
  onWork: status.showWork,
  onError: status.showProblem,
  onDone: finish,
});
const controls = new Controls({ onChange: change, onRepeat: repeat });
const tabs = new Tabs((view) => change((old) => ({ ...old, view })));
const picked = new Picked(change);
const views: Record<ViewName, View> = {
  samples: new SamplesView(change),
  between: new BetweenView(change),
  truncations: new TruncationsView(change),
  breeding: new BreedingView(change),
};
const addresses = new History((fragment) => void visit(fragment, "same entry"));
const opener = new Opener({
  onLink: (link) => void visit(link, "new entry"),
  onSource: (wanted) =>
    // the state when the model has loaded, not when it was requested
    void load(wanted, () => ({ ...state, modelId: null }), "new entry").catch((error) =>
      opener.showProblem(error),
    ),
});
const save = element("save", HTMLButtonElement);
const shareButton = element("share", HTMLButtonElement);
save.addEventListener("click", () => {
  saveWhenDone = true;
  saveIfDone();
});
shareButton.addEventListener("click", () => void shareLink());

views.samples.main.reserve(DEFAULT_STATE.count);
tabs.show(DEFAULT_STATE.view);
await start();
// caching for later must not delay what is visible now
await worksOffline((reload) =>
  notify("update", "A new version of this page is ready.", { label: "Reload", run: reload }),
).catch(() => {
  // private windows and some settings allow no service worker: the page works without it
});

/** Shows the state in the address. */
async function start(): Promise<void> {
  let wanted: State | null = null;
  try {
    wanted = decode(location.hash);
  } catch (error) {
    notify("link", `${sentenceOf(error)} The page starts as on a first visit.`);
  }
  const asked = wanted ?? DEFAULT_STATE;
  if (location.hash.length > 1 && wanted) controls.lockSeed();
  views.samples.main.reserve(asked.count);
  try {
    if (asksForHandedOver(location.search)) await loadTrained(asked);
    else if (asked.model === null) await load({ kind: "shipped" }, () => asked, "same entry");
    else await loadOrShipped(asked.model, asked);
  } catch (error) {
    views.samples.main.busy = false;
    status.showFailure("Not started.", error);
  }
}

/** The model trained in this browser. */
async function loadTrained(asked: State): Promise<void> {
  const trained = await handedOver();
  if (trained) {
    await load({ kind: "file", name: TRAINED_NAME, file: trained }, () => asked, "same entry");
    return;
  }
  notify("link", "This browser has no model from the training page. The page's own model is used instead.");
  await load({ kind: "shipped" }, () => asked, "same entry");
}

/** If the model named by a link is gone, the page's own model is used. */
async function loadOrShipped(address: string, asked: State): Promise<void> {
  try {
    await load({ kind: "address", address }, () => asked, "same entry");
  } catch (error) {
    opener.showProblem(error);
    notify(
      "link",
      `The model of the link could not be loaded: ${sentenceOf(error)} The page's own model is used instead.`,
    );
    const without = { ...asked, model: null, modelId: null };
    await load({ kind: "shipped" }, () => without, "same entry");
  }
}

/** Loads a model and shows a state with it; the previous model stays until then. */
async function load(wanted: Source, asked: () => State, entry: Entry): Promise<void> {
  loading.abort();
  loading = new AbortController();
  const { signal } = loading;
  const onProgress = (progress: LoadProgress) => {
    if (!signal.aborted) status.showProgress(progress);
  };
  try {
    const made = await createGenerator({
      model: modelOf(wanted),
      backend: wantedBackend(location.search, "sample-webgpu"),
      signal,
      onProgress,
      onRunning: (running) => {
        cache.clear();
        status.showRunning(running);
      },
    });
    opener.clearProblem();
    use(made, wanted);
    show(waiting ?? asked(), entry);
    waiting = undefined;
  } catch (error) {
    if (signal.aborted) return;
    // the previous model stays in use
    if (generator) status.showRunning(generator.info.running);
    throw error;
  }
}

function use(made: Generator, from: Source): void {
  generator?.dispose();
  generator = made;
  source = from;
  cache.clear();
  painter.generator = made;
  status.showRunning(made.info.running);
  showCard(made.info, nameOf(from));
  opener.away = from.kind !== "shipped";
  element("problem", HTMLParagraphElement).hidden = true;
  shareButton.disabled = false;
}

/** Shows a state from outside: a link or a saved picture. */
function show(asked: State, entry: Entry): void {
  if (!generator) return;
  const { model, modelId } = generator.info;
  const id = modelId.slice(0, MODEL_ID_DIGITS);
  const wrong = misfits(asked, model);
  if (wrong.length > 0) {
    const sentences = wrong.map(sentenceOf).join(" ");
    notify("link", `${sentences} The nearest state that the model can draw is shown.`);
  } else if (asked.modelId !== null && !sameModel(asked.modelId, modelId) && asked.modelId !== state.modelId) {
    notify(
      "link",
      `This was made with another model (SHA-256 ${asked.modelId}…): open that model's file to see the same picture.`,
    );
  }
  state = {
    ...fit(asked, model),
    model: addressOf(source) ?? null,
    modelId: id || null,
  };
  render();
  if (entry === "same entry") addresses.replace(encode(state));
  else {
    addresses.show(encode(state));
    addresses.flush();
  }
}

/** A link has some first digits of a model's SHA-256. */
function sameModel(digits: string, id: string): boolean {
  return id !== "" && (id.startsWith(digits) || digits.startsWith(id));
}

/** Goes to the state of a link, a saved picture, or an entry of the browser's history. */
async function visit(link: string, entry: Entry): Promise<void> {
  let asked: State;
  try {
    asked = decode(link);
  } catch (error) {
    notify("link", `${sentenceOf(error)} The page stays as it is.`);
    return;
  }
  dismiss("link");
  controls.lockSeed();
  if (!generator) {
    waiting = asked;
    return;
  }
  const present = asked.modelId !== null && sameModel(asked.modelId, generator.info.modelId);
  if (present || asked.model === addressOf(source)) {
    show(asked, entry);
    return;
  }
  const wanted: Source =
    asked.model === null ? { kind: "shipped" } : { kind: "address", address: asked.model };
  await load(wanted, () => asked, entry).catch((error: unknown) => {
    notify("link", `The model could not be loaded: ${sentenceOf(error)} The page stays as it is.`);
  });
}

/** Applies a change by the visitor. */
function change(make: (state: State) => State): void {
  if (!generator) return;
  state = make(state);
  render();
  addresses.show(encode(state));
}

function render(): void {
  if (!generator) return;
  const { model } = generator.info;
  status.clearProblem();
  controls.show(state, model);
  tabs.show(state.view);
  for (const [name, view] of Object.entries(views)) if (name !== state.view) view.hide?.();
  const view = views[state.view];
  painter.paint([...view.show(state, model), picked.show(state, model)]);
}

/** Repeats the request and measures its time again. */
function repeat(): void {
  cache.clear();
  render();
}

function finish(): void {
  if (!generator) return;
  const view = views[state.view];
  view.done?.();
  save.disabled = view.main.shots.length === 0;
  status.showMemory(generator.info);
  saveIfDone();
}

function saveIfDone(): void {
  const images = views[state.view].main.drawn.map((drawn) => drawn?.image);
  const ready = images.filter((image) => image !== undefined);
  if (!generator || !saveWhenDone || ready.length < images.length) return;
  saveWhenDone = false;
  const name = fileName(state.point, state.truncation, generator.info.model.classNames);
  sheet(ready, encode(state)).then((file) => download(file, name), status.showProblem);
}

async function shareLink(): Promise<void> {
  addresses.flush();
  const said = element("shared", HTMLParagraphElement);
  try {
    said.textContent = (await share(location.href, document.title)) ?? "";
  } catch {
    said.textContent = "The link is in the address bar: this browser does not let the page copy it.";
  }
  if (source.kind === "file") {
    notify("share", "The model of this link is a file on your machine: whoever opens the link needs it too.");
  }
}
