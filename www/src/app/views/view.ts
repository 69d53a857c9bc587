/** A view: galleries that show a part of what a state says. */

import type { ModelInfo } from "../../lib/index.js";
import type { Gallery } from "../gallery.js";
import type { State } from "../state.js";

export interface View {
  /** The pictures that are saved. */
  readonly main: Gallery;
  /** Makes ready for a state; the galleries are what is to be painted. */
  show(state: State, model: ModelInfo): Gallery[];
  /** All pictures are there. */
  done?(): void;
  /** Another view is shown. */
  hide?(): void;
}

export type Change = (change: (state: State) => State) => void;
