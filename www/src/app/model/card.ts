/** Facts about the model: data, size, scores, origin. */

import type { GeneratorInfo } from "../../lib/index.js";
import { element } from "../element.js";
import { MODEL_ID_DIGITS } from "../state.js";

/** Display names of the importer's sources. */
const PROGRAMS: Record<string, string> = {
  "hf-deep": "pytorch-pretrained-BigGAN",
  "biggan-pytorch": "BigGAN-PyTorch",
  studiogan: "PyTorch-StudioGAN",
};

const whole = (value: number) => value.toLocaleString("en");

export function showCard({ model, modelId, modelBytes }: GeneratorInfo, name: string): void {
  const trained = model.imagesSeen > 0;
  const facts: [string, string][] = [
    ["File", `${name}, ${(modelBytes / 1e6).toFixed(2)} MB`],
    ["Data set", model.datasetImages > 0 ? `${model.dataset}, ${whole(model.datasetImages)} images` : model.dataset],
    ["Classes", whole(model.classNames.length)],
    ["Resolution", `${model.resolution}×${model.resolution}`],
    ["Architecture", `${model.architecture}, z of ${model.zDim} in ${plural(model.chunks, "chunk")}`],
    ["Parameters", whole(model.parameters)],
    [
      "Origin",
      model.imported
        ? `weights of ${PROGRAMS[model.imported] ?? model.imported}`
        : trained
          ? `recipe ${model.recipe}, ${whole(model.imagesSeen)} images seen, ${whole(model.gStep)} generator steps`
          : "never trained: the weights are random",
    ],
    ["SHA-256", `${modelId.slice(0, MODEL_ID_DIGITS)}…`],
  ];
  const list = element("card-facts", HTMLDListElement);
  list.replaceChildren(
    ...facts.filter(([, value]) => value !== "").flatMap(([term, value]) => [tag("dt", term), tag("dd", value)]),
  );
  showScores(model.scores);
}

function showScores(scores: Record<string, number>): void {
  const table = element("card-scores", HTMLTableElement);
  const entries = Object.entries(scores);
  table.hidden = entries.length === 0;
  const rows = entries.map(([protocol, value]) => {
    // "name: how it was measured"
    const [name = protocol, ...how] = protocol.split(": ");
    const row = document.createElement("tr");
    const head = tag("th", name);
    head.setAttribute("scope", "row");
    if (how.length > 0) head.append(tag("span", how.join(": ")));
    row.append(head, tag("td", String(Number(value.toPrecision(4)))));
    return row;
  });
  table.tBodies[0]?.replaceChildren(...rows);
}

const plural = (count: number, noun: string) => `${count} ${noun}${count === 1 ? "" : "s"}`;

function tag(name: string, text: string): HTMLElement {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}
