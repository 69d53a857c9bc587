/** The page: a state, the views that show it, and a generator that draws it. */

import "./start-guard.js";
import { createGenerator, type Generator, type LoadProgress } from "../lib/index.js";
import { wantedBackend } from "./address.js";
import { Controls } from "./controls/controls.js";
import { fileName, singleFileName } from "./describe.js";
import { DrawnCache, keyOf } from "./drawn.js";
import { element } from "./element.js";
import { asksForHandedOver, handedOver, TRAINED_NAME } from "./handover.js";
import { History } from "./history.js";
import { decode, encode, type Link } from "./link.js";
import { showCard } from "./model/card.js";
import { wantsModel } from "./model/consent.js";
import { Opener } from "./model/opener.js";
import { addressOf, modelOf, nameOf, type Source } from "./model/source.js";
import { dismiss, notify } from "./notices.js";
import { worksOffline } from "./offline/register.js";
import { Painter } from "./painter.js";
import { download } from "./save-file.js";
import { parentShot } from "./scene.js";
import { SensitivityMeter } from "./sensitivity.js";
import { sentenceOf } from "./sentence.js";
import { share } from "./share.js";
import { fileOf, sheet } from "./sheet.js";
import {
  DEFAULT_STATE,
  fit,
  MAX_COUNT,
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
let waiting: Link | undefined;
/** Whether to save once the pictures have arrived. */
let saveWhenDone = false;

const cache = new DrawnCache();
const painter = new Painter(cache, {
  onWork: status.showWork,
  onError: status.showProblem,
  onDone: finish,
});
const meter = new SensitivityMeter();
const controls = new Controls(change);
const tabs = new Tabs((view) => change((old) => ({ ...old, view })));
const picked = new Picked(change);
const views: Record<ViewName, View> = {
  samples: new SamplesView(change),
  between: new BetweenView(change),
  truncations: new TruncationsView(change),
  breeding: new BreedingView(change, complete, meter, status.showProblem),
};
const addresses = new History((fragment) => void visit(fragment, "same entry"));
const opener = new Opener({
  onLink: (link) => void visit(link, "new entry"),
  onSource: (wanted) =>
    // the state when the model has loaded, not when it was requested
    void load(wanted, () => ({ state: { ...state, modelId: null }, wrong: [] }), "new entry").catch((error) =>
      opener.showProblem(error),
    ),
});
const save = element("save", HTMLButtonElement);
const shareButton = element("share", HTMLButtonElement);
/** Whether the selected picture is saved and shared, or all of the view. */
const single = element("single", HTMLInputElement);
save.addEventListener("click", () => {
  saveWhenDone = true;
  saveIfDone();
});
shareButton.addEventListener("click", () => void shareLink());

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
  const link = decode(location.hash);
  // how many classes there are is not known yet
  if (!link.state.everyClass) views.samples.main.reserve(Math.min(link.state.count, MAX_COUNT));
  try {
    if (asksForHandedOver(location.search)) await loadTrained(link);
    else if (link.state.model === null) await load({ kind: "shipped" }, () => link, "same entry");
    else await loadOrShipped(link.state.model, link);
  } catch (error) {
    views.samples.main.busy = false;
    status.showFailure("Not started.", error);
  }
}

/** The model trained in this browser. */
async function loadTrained(link: Link): Promise<void> {
  const trained = await handedOver();
  if (trained) {
    await load({ kind: "file", name: TRAINED_NAME, file: trained }, () => link, "same entry");
    return;
  }
  notify("trained", "This browser has no model from the training page. The page's own model is used instead.");
  await load({ kind: "shipped" }, () => link, "same entry");
}

/** If the visitor does not want the model named by a link, or it is gone, the page's own model is used. */
async function loadOrShipped(address: string, link: Link): Promise<void> {
  const signal = nextLoad();
  try {
    if (await wantsModel(address, signal, status.showWaiting)) {
      await load({ kind: "address", address }, () => link, "same entry", signal);
      return;
    }
    if (signal.aborted) return;
  } catch (error) {
    notify(
      "model",
      `The model of the link could not be loaded: ${sentenceOf(error)} The page's own model is used instead.`,
    );
  }
  const without = { ...link, state: { ...link.state, model: null, modelId: null } };
  await load({ kind: "shipped" }, () => without, "same entry");
}

/** Ends the load before, or its question. */
function nextLoad(): AbortSignal {
  loading.abort();
  loading = new AbortController();
  return loading.signal;
}

/** Loads a model and shows a state with it; the previous model stays until then. */
async function load(wanted: Source, asked: () => Link, entry: Entry, signal = nextLoad()): Promise<void> {
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
  meter.generator = made;
  status.showRunning(made.info.running);
  showCard(made.info, nameOf(from));
  opener.used = from;
  element("problem", HTMLParagraphElement).hidden = true;
  shareButton.disabled = false;
}

/** Shows a state from outside: a link or a saved picture. */
function show({ state: asked, wrong }: Link, entry: Entry): void {
  if (!generator) return;
  const { model, modelId } = generator.info;
  const faults = [...wrong, ...misfits(asked, model)];
  if (faults.length > 0) {
    const sentences = faults.map(sentenceOf).join(" ");
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
    modelId: modelId.slice(0, MODEL_ID_DIGITS),
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
  return id.startsWith(digits) || digits.startsWith(id);
}

/** Goes to the state of a link, a saved picture, or an entry of the browser's history. */
async function visit(text: string, entry: Entry): Promise<void> {
  const link = decode(text);
  const asked = link.state;
  for (const kind of ["link", "model"]) dismiss(kind);
  if (!generator) {
    waiting = link;
    return;
  }
  const signal = nextLoad();
  status.showRunning(generator.info.running);
  const present = asked.modelId !== null && sameModel(asked.modelId, generator.info.modelId);
  if (present || asked.model === addressOf(source)) {
    show(link, entry);
    return;
  }
  const wanted: Source =
    asked.model === null ? { kind: "shipped" } : { kind: "address", address: asked.model };
  // the address is again that of what is shown
  const stay = () => entry === "same entry" && addresses.replace(encode(state));
  if (wanted.kind === "address" && !(await wantsModel(wanted.address, signal, () => {}))) {
    if (!signal.aborted) stay();
    return;
  }
  await load(wanted, () => link, entry, signal).catch((error: unknown) => {
    stay();
    notify("model", `The model could not be loaded: ${sentenceOf(error)} The page stays as it is.`);
  });
}

/** Applies a change by the visitor. */
function change(make: (state: State) => State): void {
  if (!generator) return;
  const [before, made] = [state, make(state)];
  // of another parent, children change by another step
  const isSame = keyOf(parentShot(before)) === keyOf(parentShot(made));
  state = isSame ? made : { ...made, stepSize: DEFAULT_STATE.stepSize };
  render();
  addresses.show(encode(state));
}

/** Adds what was found out about the state that is shown. */
function complete(make: (state: State) => State): void {
  if (!generator) return;
  state = make(state);
  render();
  addresses.amend(encode(state));
}

function render(): void {
  if (!generator) return;
  const { model } = generator.info;
  status.clearProblem();
  const unseen = controls.show(state, model);
  tabs.show(state.view);
  for (const [name, view] of Object.entries(views)) if (name !== state.view) view.hide?.();
  const view = views[state.view];
  painter.paint([...view.show(state, model), picked.show(state, model), ...unseen]);
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
  const file = saveWhenDone ? pictureFile() : undefined;
  if (!file) return;
  saveWhenDone = false;
  file.then((made) => download(made, made.name), status.showProblem);
}

/** What is saved and shared, if it is drawn. */
function pictureFile(): Promise<File> | undefined {
  if (!generator) return undefined;
  const names = generator.info.model.classNames;
  const isSingle = single.checked;
  const images = isSingle ? [picked.image] : views[state.view].main.drawn.map((drawn) => drawn?.image);
  const ready = images.filter((image) => image !== undefined);
  const [first] = ready;
  if (!first || ready.length < images.length) return undefined;
  const name = isSingle ? singleFileName(state, names) : fileName(state, names);
  const making = isSingle ? fileOf(first, encode(state)) : sheet(ready, encode(state));
  return making.then((made) => new File([made], name, { type: made.type }));
}

async function shareLink(): Promise<void> {
  addresses.flush();
  const said = element("shared", HTMLParagraphElement);
  try {
    said.textContent = (await share(location.href, document.title, async () => pictureFile())) ?? "";
  } catch {
    said.textContent = "The link is in the address bar: this browser does not let the page copy it.";
  }
  if (source.kind === "file") {
    notify("share", "The model of this link is a file on your machine: whoever opens the link needs it too.");
  }
}
