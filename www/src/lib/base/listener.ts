/** Functions of the page that are told what happens, and may throw. */

type Listener<E> = ((event: E) => void) | undefined;

/** Tells a listener; what it throws ends what the controller ends, with that as the reason. */
export const guarded =
  <E>(listener: Listener<E>, ending: AbortController) =>
  (event: E): void => {
    try {
      listener?.(event);
    } catch (error) {
      ending.abort(error);
    }
  };

/** Tells a listener that no call of the page waits for; what it throws is the page's uncaught error. */
export function tell<E>(listener: Listener<E>, event: E): void {
  try {
    listener?.(event);
  } catch (error) {
    reportError(error);
  }
}
