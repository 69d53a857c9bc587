/** The element, and a way between two points drawn by the function. */

import { createGenerator } from "biggan";
import "biggan/element";

const status = document.getElementById("status");
const canvas = document.getElementById("picture");

const generator = await createGenerator({
  model: new URL("../../../models/fashion32.safetensors", import.meta.url),
});
const { model, running } = generator.info;
canvas.width = canvas.height = model.resolution;

const point = (name, seed) => ({
  classes: [{ class: model.classNames.indexOf(name), weight: 1 }],
  z: { seed },
});
let pictures = 0;
const way = { from: point("Sneaker", 1), to: point("Bag", 2), count: 12 };
for await (const { image } of generator.interpolate(way)) {
  canvas.getContext("2d").putImageData(image, 0, 0);
  pictures += 1;
}
generator.dispose();
status.textContent = `${pictures} pictures on the ${running.backend}, in the ${running.place}`;
