/** The training page: a session, its controls, and the views that show it. */

import "../start-guard.js";
import { wantedBackend } from "../address.js";
import { isBeingMade } from "../being-made.js";
import { element } from "../element.js";
import { dismiss, notify } from "../notices.js";
import { worksOffline } from "../offline/register.js";
import { sentenceOf } from "../sentence.js";
import { Course } from "./course.js";
import { DataChoice } from "./data-choice.js";
import { Keeper } from "./keeper.js";
import { ModelFiles } from "./model-files.js";
import { OriginChoice } from "./origin-choice.js";
import { D_FIRST, dFirstOf } from "./origin.js";
import { PRESETS, type TrainingData, type TrainProgress, type TrainRecipe, type Which } from "./package.js";
import { RecipeForm } from "./recipe-form.js";
import { sameRecipe } from "./same-recipe.js";
import { type Mode, Session, type Start } from "./session.js";
import { Transport } from "./transport.js";
import { Watch } from "./watch.js";
import { sentenceOfMode, sentenceOfProgress } from "./words.js";

/** Numbers on the page change at most this often, in milliseconds. */
const NUMBERS_MS = 200;
const D_ALONE = `D learns alone for the first ${D_FIRST} steps: the model that G starts from has no D.`;

const status = element("status", HTMLParagraphElement);
const problem = element("problem", HTMLParagraphElement);
const pending = element("pending", HTMLParagraphElement);
const kept = element("kept", HTMLParagraphElement);

/** Data and recipe of the next run; `null` until both are valid. */
let data: TrainingData | null = null;
let recipe: TrainRecipe | null = null;
/** Why the run is not kept in this browser; empty while it is. */
let notKept = "";
/** Whether the status says that D learns alone. */
let saysDFirst = false;

const session = new Session(
  {
    onMode: showMode,
    onProgress: showProgress,
    onReport: (report) => {
      watch.report(report);
      if (saysDFirst && !session.isDFirst) showMode(session.mode);
    },
    onLook: (look) => {
      watch.look(look, session.state);
      showNumbers();
    },
    onSlowStep: (look, report) => watch.slowStep(look, report),
    onProblem: (error) => {
      watch.backTo(session.state);
      showProblem(error);
    },
  },
  wantedBackend(location.search, "train-webgpu"),
);
const watch = new Watch();
const files = new ModelFiles(session, { onCheckpoint: (file) => course.goOnFrom(file, wanted()) });
const transport = new Transport({
  onPlay: () => void begin(() => session.play()),
  onPause: () => void pause(),
  onStep: (which) => void begin(() => void step(which)),
  onReset: () => void reset(),
  onSlow: setSlow,
});
const keeper = new Keeper(session, {
  noteNow: () => ({ curves: watch.save(), dFirst: session.start?.dFirst ?? 0, startedFrom: session.start?.startedFrom }),
  onKept: (at) => {
    dismiss("kept");
    notKept = "";
    kept.textContent = `Kept in this browser at ${at.toLocaleTimeString("en", { timeStyle: "short" })}.`;
  },
  onNotKept: (error) => {
    kept.textContent = "What is trained now is not kept in this browser: save a checkpoint before you leave.";
    // it is tried again and again, and said once
    if (notKept === sentenceOf(error)) return;
    notKept = sentenceOf(error);
    notify("kept", notKept);
  },
});
const course = new Course(session, watch, keeper, {
  onWant: (begun) => {
    data = begun.data;
    recipe = begun.recipe;
    origins.show(begun.origin ?? null, begun.startedFrom);
    form.dictate(begun.origin?.networks.recipe ?? null);
    form.show(begun.recipe);
    form.showData(begun.data);
    choice.showKept(begun.data);
  },
  onChange: () => {
    form.showHeld(undefined);
    showWanted();
  },
  onProblem: showProblem,
});
const choice = new DataChoice((chosen) => {
  data = chosen;
  form.showData(chosen);
  showWanted();
});
const form = new RecipeForm({
  onRecipe: (made) => {
    recipe = made;
    showWanted();
  },
  onPreset: (preset) => choice.suit(preset),
  onLive: () => void amend(),
});
const origins = new OriginChoice((origin) => {
  form.dictate(origin?.networks.recipe ?? null);
  recipe = form.recipe;
  if (origin) choice.resize(origin.networks.resolution);
  showWanted();
});
setInterval(showNumbers, NUMBERS_MS);

const [first] = PRESETS;
if (first) form.show(first.recipe);
recipe = form.recipe;
if (isBeingMade("train-cpu") || !(await course.resume())) {
  status.textContent = sentenceOfMode("none", undefined);
  choice.read();
}
// caching for later must not delay what is visible now
await worksOffline((reload) =>
  notify("update", "A new version of this page is ready.", {
    label: "Reload",
    run: () => void session.pause().then(() => keeper.keep()).then(reload),
  }),
).catch(() => {
  // private windows and some settings allow no service worker: the page works without it
});

/** Data and recipe, if there are both and what trains on them. */
function wanted(): Start | null {
  const { origin } = origins;
  const fits = origins.fits(data);
  if (!data || !recipe || !fits || isBeingMade("train-cpu")) return null;
  return { data, recipe, origin, dFirst: dFirstOf(origin) };
}

/** Makes sure that there is a run, then does something with it. */
async function begin(then: () => void): Promise<void> {
  problem.hidden = true;
  if (await course.ensure(wanted())) then();
}

async function reset(): Promise<void> {
  problem.hidden = true;
  const asked = wanted();
  if (asked) await course.reset(asked);
}

/** Goes on with the live values of the form. */
async function amend(): Promise<void> {
  const { state, mode } = session;
  if (!recipe || !state || mode === "failed" || mode === "preparing") return;
  problem.hidden = true;
  try {
    if (await course.amend(recipe)) form.showHeld((session.state?.gStep ?? 0) + 1);
  } catch (error) {
    showProblem(error);
  }
  showWanted();
}

/** Ends training after the step under way, then shows and keeps where the run stands. */
async function pause(): Promise<void> {
  status.setAttribute("aria-busy", "true");
  try {
    await session.pause();
    await session.look();
    await keeper.keep();
  } finally {
    status.setAttribute("aria-busy", "false");
  }
}

async function step(which: Which): Promise<void> {
  try {
    watch.walk(which, await session.step(which));
    await keeper.keep();
  } catch (error) {
    watch.backTo(session.state);
    showProblem(error);
  }
}

function setSlow(slow: boolean): void {
  session.slow = slow;
  watch.showSlow(slow && session.mode === "playing");
  if (session.mode === "playing") showMode("playing");
}

function showMode(mode: Mode): void {
  saysDFirst = mode === "playing" && session.isDFirst;
  status.textContent = sentenceOfMode(mode, session.state?.running, session.slow) + (saysDFirst ? ` ${D_ALONE}` : "");
  status.dataset["mode"] = mode;
  if (mode === "playing") {
    watch.endWalk();
    if (session.slow) watch.showSlow(true);
  }
  showWanted();
  showNumbers();
}

function showProgress(progress: TrainProgress): void {
  const words = sentenceOfProgress(progress);
  if (words) status.textContent = words;
  if (progress.phase !== "restored") return;
  watch.backTo(progress.state);
  const lost = `${progress.lostSteps} ${progress.lostSteps === 1 ? "step was" : "steps were"} lost`;
  notify("lost", `The device was lost. Training continued from the last checkpoint in a new worker; ${lost}.`);
}

function showNumbers(): void {
  transport.showState(session.state, watch.speed);
}

/** Enables the buttons, and says what the next Reset applies. */
function showWanted(): void {
  transport.showMode(session.mode, wanted() !== null);
  files.show(session.state !== undefined && session.mode !== "failed");
  const { start: runs, state } = session;
  const asked = wanted();
  pending.textContent =
    state && runs && asked && !isSame(runs, asked) ? "Data or recipe have changed: Reset applies them." : "";
  if (!state && asked) watch.preview(asked.recipe, asked.data.resolution);
}

function isSame(a: Start, b: Start): boolean {
  return a.data.sha256 === b.data.sha256 && sameRecipe(a.recipe, b.recipe) && (a.origin ?? null) === (b.origin ?? null);
}

function showProblem(error: unknown): void {
  problem.textContent = sentenceOf(error);
  problem.hidden = false;
  problem.scrollIntoView({ block: "nearest" });
}
