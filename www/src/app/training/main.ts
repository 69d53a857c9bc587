/** The training page: a session, what the visitor asks of it, and what shows it. */

import { wantedBackend } from "../address.js";
import { element } from "../element.js";
import { dismiss, notify } from "../notices.js";
import { worksOffline } from "../offline/register.js";
import { sentenceOf } from "../sentence.js";
import { DataChoice } from "./data-choice.js";
import { type Kept, Keeper } from "./keeper.js";
import { ModelFiles, saveCheckpoint } from "./model-files.js";
import { PRESETS, type TrainingData, type TrainProgress, type TrainRecipe, type Which } from "./package.js";
import { RecipeForm, sameRecipe } from "./recipe-form.js";
import { type Mode, Session, type Start } from "./session.js";
import { Transport } from "./transport.js";
import { updatesOf, Watch } from "./watch.js";
import { ago, describeData, sentenceOfMode, sentenceOfProgress } from "./words.js";

/** Numbers on the page change at most this often, in milliseconds. */
const NUMBERS_MS = 200;
/** The classes that a first visit trains on: Trouser and Bag, which differ at a glance. */
const FIRST_CLASSES = [1, 8];

const status = element("status", HTMLParagraphElement);
const problem = element("problem", HTMLParagraphElement);
const pending = element("pending", HTMLParagraphElement);
const kept = element("kept", HTMLParagraphElement);

/** What the next training begins with; `null` while it cannot. */
let data: TrainingData | null = null;
let recipe: TrainRecipe | null = null;

const session = new Session(
  {
    onMode: showMode,
    onProgress: showProgress,
    onReport: (report) => watch.report(report),
    onLook: (look) => {
      watch.look(look, session.state);
      showNumbers();
    },
    onProblem: (error) => {
      watch.backTo(session.state);
      showProblem(error);
    },
  },
  wantedBackend(location.search),
);
const watch = new Watch();
const files = new ModelFiles(session, { onCheckpoint: goOnFrom });
const transport = new Transport({
  onPlay: () => void begin(() => session.play()),
  onPause: () => void pause(),
  onStep: (which) => void begin(() => void step(which)),
  onReset: () => void reset(),
});
const keeper = new Keeper(session, {
  noteNow: () => ({ curves: watch.save() }),
  onKept: (at) => {
    dismiss("kept");
    kept.textContent = `Kept in this browser at ${at.toLocaleTimeString("en", { timeStyle: "short" })}.`;
  },
  onProblem: (error) => notify("kept", sentenceOf(error)),
});
const choice = new DataChoice(FIRST_CLASSES, (chosen) => {
  data = chosen;
  showWanted();
});
const form = new RecipeForm({
  onRecipe: (made) => {
    recipe = made;
    showWanted();
  },
  onPreset: (preset) => choice.suit(preset),
});
setInterval(showNumbers, NUMBERS_MS);

await start();
// what is kept for later must not hold up what is seen now
await worksOffline((reload) =>
  notify("update", "A new version of this page is ready.", {
    label: "Reload",
    run: () => void keeper.keep().then(reload),
  }),
).catch(() => {
  // private windows and some settings allow no service worker: the page works without
});

/** Goes on with the training that was kept, or offers the first one. */
async function start(): Promise<void> {
  const [first] = PRESETS;
  if (first) form.show(first.recipe);
  recipe = form.recipe;
  let last: Kept | null = null;
  try {
    last = await keeper.last();
  } catch (error) {
    notify("kept", sentenceOf(error));
  }
  if (!last) {
    status.textContent = sentenceOfMode("none", undefined);
    choice.read();
    return;
  }
  want(last);
  await restore(last);
}

async function restore({ checkpoint, note, savedAt, ...begun }: Kept): Promise<void> {
  const when = `kept ${ago(Date.now() - savedAt)}`;
  try {
    await open({ ...begun, checkpoint });
  } catch (error) {
    // it stays until another training is kept
    notify("restored", `The training ${when} could not be opened: ${sentenceOf(error)}`, {
      label: "Save its checkpoint",
      run: () => saveCheckpoint(checkpoint, begun.data, "kept"),
    });
    return;
  }
  if (note) watch.restore(note.curves);
  keeper.begin(updatesOf(session.state));
  notify("restored", `The training is where you left it (${describeData(begun.data)}), ${when}: press Play to go on.`, {
    label: "Start afresh",
    run: () => void startAfresh(),
  });
}

async function startAfresh(): Promise<void> {
  dismiss("restored");
  session.close();
  watch.clear();
  await keeper.forget();
  showWanted();
}

/** Sees to it that there is a training, then does something with it. */
async function begin(then: () => void): Promise<void> {
  problem.hidden = true;
  if (session.mode === "none" || session.mode === "failed") {
    if (!data || !recipe) return;
    try {
      await open({ data, recipe });
    } catch (error) {
      showProblem(error);
      return;
    }
    keeper.begin(0);
  }
  then();
}

async function open(begun: Start): Promise<void> {
  session.lookSize = watch.lookSize(begun.data.classNames.length);
  watch.begin(begun);
  await session.open(begun);
  showWanted();
}

/** Starts again from the beginning with what is chosen now; the training before can be had back. */
async function reset(): Promise<void> {
  if (!data || !recipe) return;
  problem.hidden = true;
  const wanted = { data, recipe };
  const before = await beforeReset();
  try {
    await open(wanted);
  } catch (error) {
    showProblem(error);
    // the training goes on as it was; what was asked for stays in the form, to be mended
    if (before) await open(before).catch(showProblem);
    return;
  }
  keeper.begin(0);
  if (!before) return;
  notify("restored", "Started again from the beginning.", { label: "Undo", run: () => void undo(before) });
}

async function beforeReset(): Promise<Start | null> {
  const { start: runs, state, mode } = session;
  if (!runs || updatesOf(state) === 0 || mode === "failed") return null;
  try {
    return { ...runs, checkpoint: await session.between((trainer) => trainer.save()) };
  } catch {
    // a training that cannot be saved is given up
    return null;
  }
}

async function undo(before: Start): Promise<void> {
  dismiss("restored");
  want(before);
  await open(before).catch(showProblem);
  keeper.begin(0);
}

/** Shows the data and the recipe of a training as what is chosen. */
function want(begun: Start): void {
  data = begun.data;
  recipe = begun.recipe;
  form.show(begun.recipe);
  choice.showKept(begun.data);
}

/** Goes on from a checkpoint file of the visitor's. */
async function goOnFrom(checkpoint: File): Promise<void> {
  const { start: runs } = session;
  if (runs && session.state && session.mode !== "failed") {
    await session.between((trainer) => trainer.load(checkpoint));
    watch.begin(runs);
    await session.look();
    return;
  }
  if (!data || !recipe) throw new Error("choose the data and the recipe of the checkpoint first");
  await open({ data, recipe, checkpoint });
}

async function pause(): Promise<void> {
  await session.pause();
  await session.look();
  await keeper.keep();
}

async function step(which: Which): Promise<void> {
  try {
    watch.walk(which, await session.step(which));
  } catch (error) {
    watch.backTo(session.state);
    showProblem(error);
  }
}

function showMode(mode: Mode): void {
  status.textContent = sentenceOfMode(mode, session.state?.running);
  status.dataset["mode"] = mode;
  if (mode === "playing") watch.endWalk();
  showWanted();
  showNumbers();
}

function showProgress(progress: TrainProgress): void {
  const words = sentenceOfProgress(progress);
  if (words) status.textContent = words;
  if (progress.phase !== "restored") return;
  watch.backTo(progress.state);
  const lost = `${progress.lostSteps} ${progress.lostSteps === 1 ? "step was" : "steps were"} lost`;
  notify("lost", `The device was lost. Training went on from the last checkpoint in a new worker; ${lost}.`);
}

function showNumbers(): void {
  transport.showState(session.state, watch.speed);
}

/** Whether anything can begin, and what the next Reset begins with. */
function showWanted(): void {
  const ready = data !== null && recipe !== null;
  transport.showMode(session.mode, ready);
  files.show(session.state !== undefined && session.mode !== "failed");
  const { start: runs, state } = session;
  const differs = state && runs && data && recipe && !isSame(runs, { data, recipe });
  pending.textContent = differs ? "Data or recipe have changed: Reset starts with them." : "";
  if (!state && data && recipe) watch.preview(recipe, data.resolution);
}

function isSame(a: Start, b: Start): boolean {
  return a.data.sha256 === b.data.sha256 && sameRecipe(a.recipe, b.recipe);
}

function showProblem(error: unknown): void {
  problem.textContent = sentenceOf(error);
  problem.hidden = false;
}
