/** The page's address and the browser's back and forward. */

/** A gesture, such as dragging a slider, becomes one entry after this long a pause. */
const SETTLE_MS = 400;

export class History {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #pending: string | undefined;

  /** Calls `onVisit` with the fragment when the visitor goes back, forward, or changes it. */
  constructor(onVisit: (fragment: string) => void) {
    addEventListener("popstate", () => {
      this.#forget();
      onVisit(location.hash);
    });
    addEventListener("pagehide", () => this.flush());
  }

  /** Makes this the address soon. */
  show(fragment: string): void {
    this.#forget();
    if (`#${fragment}` === location.hash) return;
    this.#pending = fragment;
    this.#timer = setTimeout(() => this.flush(), SETTLE_MS);
  }

  /** Completes the address that is shown or pending: no entry of its own. */
  amend(fragment: string): void {
    if (this.#pending === undefined) this.replace(fragment);
    else this.#pending = fragment;
  }

  /** Replaces the current address by this. */
  replace(fragment: string): void {
    this.#forget();
    history.replaceState(null, "", `#${fragment}`);
  }

  /** Applies a pending address now. */
  flush(): void {
    if (this.#pending !== undefined) history.pushState(null, "", `#${this.#pending}`);
    this.#forget();
  }

  #forget(): void {
    clearTimeout(this.#timer);
    this.#pending = undefined;
  }
}
