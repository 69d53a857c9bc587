/** Preview of the data: some images of each class, and problems with the data. */

import { element } from "../element.js";
import { type Finding, sheetOf, type TrainingData } from "./package.js";
import { sentenceOf } from "../sentence.js";
import { put } from "./put.js";

/** Images shown per class, with few classes and with many. */
const SHOWN = 8;
const SHOWN_OF_MANY = 4;
/** With more, classes are side by side. */
const FEW_CLASSES = 4;
/** Classes that are shown; the others are counted. */
const MOST_CLASSES = 24;

const SEVERITIES: Record<Finding["severity"], string> = { fault: "Fault", warning: "Warning", note: "Note" };

export class DataPreview {
  readonly #list = element("preview", HTMLUListElement);
  readonly #words = element("preview-words", HTMLParagraphElement);
  readonly #findings = element("findings", HTMLUListElement);
  #drawing = 0;

  /** Draws one class per frame. */
  show(data: TrainingData | null, findings: readonly Finding[]): void {
    const drawing = ++this.#drawing;
    this.#showFindings(findings);
    this.#list.replaceChildren();
    if (!data) {
      this.#words.textContent = "";
      return;
    }
    const { classNames, labels, resolution, name } = data;
    const count = labels.length.toLocaleString("en");
    const classes = `${classNames.length} ${classNames.length === 1 ? "class" : "classes"}`;
    const shown = classNames.length > MOST_CLASSES ? `; the first ${MOST_CLASSES} classes are shown` : "";
    const images = labels.length === 1 ? "image" : "images";
    this.#words.textContent = `${count} ${images} of ${resolution}×${resolution} pixels in ${classes}, from ${name}${shown}`;
    const many = classNames.length > FEW_CLASSES;
    this.#list.classList.toggle("many", many);
    const next = (number: number): void => {
      if (drawing !== this.#drawing || number >= Math.min(classNames.length, MOST_CLASSES)) return;
      this.#list.append(rowOf(data, number, many ? SHOWN_OF_MANY : SHOWN));
      requestAnimationFrame(() => next(number + 1));
    };
    next(0);
  }

  #showFindings(findings: readonly Finding[]): void {
    this.#findings.replaceChildren(
      ...findings.map(({ severity, message, remedy }) => {
        const item = document.createElement("li");
        item.className = severity;
        const kind = document.createElement("b");
        kind.textContent = `${SEVERITIES[severity]}: `;
        item.append(kind, sentenceOf(message), ` ${sentenceOf(remedy)}`);
        return item;
      }),
    );
  }
}

function rowOf(data: TrainingData, number: number, shown: number): HTMLElement {
  const item = document.createElement("li");
  const name = document.createElement("span");
  const images: ImageData[] = [];
  let count = 0;
  data.labels.forEach((label, index) => {
    if (label !== number) return;
    count += 1;
    if (images.length < shown) images.push(imageOf(data, index));
  });
  const className = data.classNames[number] ?? String(number);
  name.textContent = className;
  const howMany = document.createElement("small");
  howMany.textContent = count.toLocaleString("en");
  name.append(" ", howMany);
  const canvas = document.createElement("canvas");
  canvas.className = "enlarged";
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `Some of ${count} images of the class ${className}`);
  put(canvas, sheetOf(images, { columns: shown, gap: 1 }));
  item.append(name, canvas);
  return item;
}

/** An image of the data, RGBA. */
function imageOf({ pixels, resolution }: TrainingData, index: number): ImageData {
  const image = new ImageData(resolution, resolution);
  const count = resolution * resolution;
  for (let pixel = 0; pixel < count; pixel++) {
    const from = (index * count + pixel) * 3;
    image.data.set(pixels.subarray(from, from + 3), pixel * 4);
    image.data[pixel * 4 + 3] = 255;
  }
  return image;
}
