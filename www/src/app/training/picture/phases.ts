/** The phases of a step in slow motion: what moves from part to part, and what is said of it. */

import type { Look, Scored, StepReport, TrainRecipe } from "../package.js";
import type { Part } from "./parts.js";

/** What moves: a picture, or words. */
export type Thing = { image: ImageData } | { text: string };

export interface Move {
  from: Part;
  to: Part;
  /** One after another. */
  things: Thing[];
}

export interface Phase {
  moves: Move[];
  says: string;
}

/** A step: the networks' images and scores just before it, and what it measured. */
export interface Taken {
  look: Look;
  report: StepReport;
  classNames: readonly string[];
}

/** Images and scores that move at once: more would lie over each other. */
const MOST = 3;

/** D's turn, then G's, of those that took one. */
export function phasesOf({ look, report, classNames }: Taken, { dSteps, orthogonal }: TrainRecipe): Phase[] {
  const images = (scored: readonly Scored[]) => scored.slice(0, MOST).map(({ image }) => ({ image }));
  const scores = (scored: readonly Scored[]) => scored.slice(0, MOST).map(({ score }) => text(signed(score)));
  const [fakes, reals] = [images(look.fake), images(look.real)];
  const names = look.fake.slice(0, MOST).map((fake) => text(classNames[fake.class] ?? String(fake.class)));
  const start: Move[] = [
    { from: "latents", to: "generator", things: names.map(() => text("z")) },
    { from: "classes", to: "generator", things: names },
  ];
  const made: Move[] = [{ from: "generator", to: "fakes", things: fakes }];
  const { dReal, dFake, lossD, lossG } = report;
  const times = dSteps > 1 ? ` (${dSteps} times)` : "";
  const d = sayer(`D’s turn${times}`);
  const g = sayer("G’s turn");
  const ofD = [
    d("noise z and classes go into G", start),
    d("fakes come out; G does not learn now", made),
    d("D looks at real images and fakes", [
      { from: "reals", to: "discriminator", things: reals },
      { from: "fakes", to: "discriminator", things: fakes },
    ]),
    d("each image has its score", [
      { from: "discriminator", to: "scores", things: [...scores(look.real).slice(0, 2), ...scores(look.fake).slice(0, 2)] },
    ]),
    d(`real images ${words(dReal)} on average, fakes ${words(dFake)}`, [
      { from: "scores", to: "loss", things: [text(`real ${words(dReal)}`), text(`fake ${words(dFake)}`)] },
    ]),
    d(`the loss ${digits(lossD)} goes back`, [{ from: "loss", to: "update-d", things: [text(`loss ${digits(lossD)}`)] }]),
    d("D’s weights move", [{ from: "update-d", to: "discriminator", things: [text("weights")] }]),
  ];
  const ofG = [
    g("new noise and classes go into G", start),
    g("fakes come out", made),
    g("D looks at them; it does not learn now", [{ from: "fakes", to: "discriminator", things: fakes }]),
    g("each fake has its score", [{ from: "discriminator", to: "scores", things: scores(look.fake) }]),
    g("high scores are what G wants", [{ from: "scores", to: "loss", things: [text("fake")] }]),
    g(`the loss ${digits(lossG)} goes back through D`, [
      { from: "loss", to: "update-g", things: [text(`loss ${digits(lossG)}`)] },
      ...(orthogonal > 0 ? [{ from: "orthogonal" as const, to: "update-g" as const, things: [text("penalty")] }] : []),
    ]),
    g("G’s weights move", [{ from: "update-g", to: "generator", things: [text("weights")] }]),
    g("the average follows G by a little", [{ from: "generator", to: "average", things: [text("weights")] }]),
  ];
  return [...(lossD === undefined ? [] : ofD), ...(lossG === undefined ? [] : ofG)];
}

const sayer =
  (turn: string) =>
  (says: string, moves: Move[]): Phase => ({ moves, says: `${turn}: ${says}.` });

const text = (text: string): Thing => ({ text });

const minus = (text: string) => text.replace("-", "−");

const signed = (score: number) => (score > 0 ? "+" : "") + minus(score.toFixed(2));

/** "–" stands for what a step did not measure. */
const words = (mean: number | undefined) => (mean === undefined ? "–" : signed(mean));

const digits = (loss: number | undefined) => (loss === undefined ? "–" : minus(loss.toFixed(2)));
