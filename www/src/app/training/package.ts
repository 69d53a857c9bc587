/** What the view takes from the package, in one place. */

export { sheetOf } from "../../lib/index.js";
export type * from "../../lib/train.js";
export {
  BigGanError,
  createTrainer,
  networksOf,
  openStore,
  PRESETS,
  readImages,
  readShipped,
  RESOLUTIONS,
  SHIPPED,
  SHIPPED_RESOLUTIONS,
  type ShippedSet,
} from "../../lib/train.js";
