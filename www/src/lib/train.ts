/** Reserved for training in the browser. */

/** Whether this version of the package trains: not yet. Train with the program `native-train`. */
export const TRAINING_AVAILABLE = false as const;
