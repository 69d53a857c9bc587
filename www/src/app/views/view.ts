/** A view: galleries that show part of a state. */

import type { ModelInfo } from "../../lib/index.js";
import type { Gallery } from "../gallery.js";
import type { State } from "../state.js";

export interface View {
  /** The pictures that are saved. */
  readonly main: Gallery;
  /** Prepares for a state; returns the galleries to paint. */
  show(state: State, model: ModelInfo): Gallery[];
  /** All pictures have arrived. */
  done?(): void;
  /** Another view is shown. */
  hide?(): void;
}

/** Changes the state: a visitor's doing, or what completes the state that is shown. */
export type Change = (change: (state: State) => State) => void;
