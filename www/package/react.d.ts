/** `<biggan-sampler>` in the JSX of React: `import type {} from "biggan/react";` in one file of a program. */

import type { DetailedHTMLProps, HTMLAttributes } from "react";
import type { BigGanSampler, SamplerAttributes } from "./element.js";

declare module "react" {
  namespace JSX {
    interface IntrinsicElements {
      "biggan-sampler": DetailedHTMLProps<HTMLAttributes<BigGanSampler>, BigGanSampler> & SamplerAttributes;
    }
  }
}
