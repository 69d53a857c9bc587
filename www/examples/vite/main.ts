/** Both entries, as a bundler takes them. */

import { BigGanError, createGenerator, type GeneratorInfo } from "biggan";
import "biggan/element";

const status = document.getElementById("status")!;
try {
  const generator = await createGenerator({ model: "./fashion32.safetensors" });
  const { samples } = await generator.sample({ class: "Sandal", seed: 5, truncation: 1, count: 2 });
  const { running }: GeneratorInfo = generator.info;
  status.textContent = `${samples.length} pictures on the ${running.backend}, in the ${running.place}`;
  generator.dispose();
} catch (error) {
  status.textContent =
    error instanceof BigGanError ? `${error.code}: ${error.message}` : String(error);
}
