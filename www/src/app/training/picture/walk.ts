/** The order in which a step uses its parts. */

import type { TrainRecipe, Which } from "../package.js";
import type { Part } from "./parts.js";

export interface Stage {
  /** The active parts. */
  parts: Part[];
  /** The part that is explained. */
  about: Part;
  /** What happens, before the explanation of the part. */
  says: string;
}

/** Measurements of a step, as far as there are any. */
export interface Measured {
  dReal?: number | undefined;
  dFake?: number | undefined;
  lossD?: number | undefined;
  lossG?: number | undefined;
}

/** The stages of a step, in order. */
export function stagesOf(which: Which, recipe: TrainRecipe, measured: Measured): Stage[] {
  const d = discriminatorStages(recipe, measured);
  const g = generatorStages(recipe, measured);
  if (which === "d") return d;
  if (which === "g") return g;
  const times = recipe.dSteps > 1 ? `D's turn comes ${recipe.dSteps} times before G's. ` : "";
  return [...d.map((stage, index) => (index === 0 ? { ...stage, says: times + stage.says } : stage)), ...g];
}

function discriminatorStages({ batchSize }: TrainRecipe, { dReal, dFake, lossD }: Measured): Stage[] {
  return [
    stage(["latents", "classes"], "latents", `D's step: noise and classes for ${batchSize} fakes are drawn.`),
    stage(["generator"], "generator", "G turns them into images; it does not learn now."),
    stage(["fakes"], "fakes", `${batchSize} fakes are ready.`),
    stage(["reals"], "reals", `${batchSize} real images come from the data.`),
    stage(["discriminator"], "discriminator", "D looks at both without being told which is which."),
    stage(
      ["scores"],
      "scores",
      both(dReal, dFake)
        ? `Real images got ${signed(dReal)} on average, fakes ${signed(dFake)}.`
        : "Each image has its score.",
    ),
    stage(["loss"], "loss", lossD === undefined ? "The loss of D is computed." : `The loss of D is ${lossD.toFixed(3)}.`),
    stage(["update-d", "discriminator"], "update-d", "The gradient goes back into D."),
  ];
}

function generatorStages(recipe: TrainRecipe, { lossG }: Measured): Stage[] {
  const { batchSize, orthogonal } = recipe;
  return [
    stage(["latents", "classes"], "classes", `G's step: noise and classes for ${batchSize} new fakes are drawn.`),
    stage(["generator", "fakes"], "generator", "G makes its fakes."),
    stage(["discriminator", "scores"], "discriminator", "D scores them; it does not learn now."),
    stage(["loss"], "loss", lossG === undefined ? "The loss of G is computed." : `The loss of G is ${lossG.toFixed(3)}.`),
    stage(["update-g", "generator"], "update-g", "The gradient goes back through D into G."),
    ...(orthogonal > 0
      ? [stage(["orthogonal", "generator"], "orthogonal", `Its strength here is ${orthogonal}.`)]
      : []),
    stage(["average"], "average", "The average follows G by a little."),
  ];
}

const stage = (parts: Part[], about: Part, says: string): Stage => ({ parts, about, says });

const both = (a: number | undefined, b: number | undefined): boolean => a !== undefined && b !== undefined;

const signed = (value: number | undefined) => (value ?? 0).toFixed(2).replace("-", "−");
