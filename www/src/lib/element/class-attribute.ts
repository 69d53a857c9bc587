/** The attribute `class`, where names of classes and of styles meet. */

import type { ModelInfo } from "../sample/api.js";
import { classesNamed, classesOfText, NoClass } from "../sample/class-names.js";

/**
 * What of the attribute names classes of the model: all of it, or else the longest run of its words, as in `Ankle boot
 * w-full`; null if the attribute is about styles only.
 */
export function classIn(attribute: string, model: ModelInfo): string | null {
  if (isNamed(attribute, model)) return attribute;
  const words = attribute.split(/\s+/);
  for (let count = words.length; count > 0; count--) {
    for (let from = 0; from + count <= words.length; from++) {
      const run = words.slice(from, from + count).join(" ");
      if (isNamed(run, model)) return run;
    }
  }
  return null;
}

/** Also of a name of several classes, which is refused with their numbers when it is drawn. */
function isNamed(text: string, model: ModelInfo): boolean {
  if (classesNamed(text, model).length > 0) return true;
  try {
    return classesOfText(text, model).length > 0;
  } catch (error) {
    if (error instanceof NoClass) return false;
    throw error;
  }
}
