/**
 * A window of a browser that speaks WebDriver (W3C), whatever carries the commands. Their names are Marionette's, which are
 * those of the standard.
 */

/** Key that identifies an element in WebDriver's JSON. */
const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";
const ENTER = "\uE007";
const TIMEOUTS = { script: 60_000, pageLoad: 60_000 };

/** What a session is begun with. */
export const session = (more = {}) => ({ capabilities: { alwaysMatch: { timeouts: TIMEOUTS, ...more } } });

export class Window {
  /** Sends a command to this window. */
  call;

  constructor(call, handle) {
    this.call = async (name, parameters = {}) => {
      // commands go to one window at a time
      await call("WebDriver:SwitchToWindow", { handle });
      return call(name, parameters);
    };
  }

  goto(url) {
    return this.call("WebDriver:Navigate", { url });
  }

  reload() {
    return this.call("WebDriver:Refresh");
  }

  /** Runs a function in the page and resolves to what it returns; it may name nothing of the test's. */
  run(work, ...args) {
    return this.call("WebDriver:ExecuteScript", { script: `return (${work})(...arguments)`, args });
  }

  async click(selector) {
    await this.call("WebDriver:ElementClick", await this.#find(selector));
  }

  /** Presses keys, wherever the focus is. */
  async type(text) {
    const actions = [...text].flatMap((letter) => {
      const value = letter === "\n" ? ENTER : letter;
      return [
        { type: "keyDown", value },
        { type: "keyUp", value },
      ];
    });
    await this.call("WebDriver:PerformActions", { actions: [{ type: "key", id: "keyboard", actions }] });
  }

  /** Picks a file. */
  async pick(selector, path) {
    await this.call("WebDriver:ElementSendKeys", { ...(await this.#find(selector)), text: path });
  }

  /**
   * Drops a file or a folder on the page. WebDriver has no drag from outside, so the browser puts it into an input, and the
   * page's own DataTransfer takes it from there: its entries are the browser's.
   */
  async drop(path) {
    await this.run(() => {
      const input = document.createElement("input");
      input.type = "file";
      input.id = "dragged";
      document.body.append(input);
    });
    await this.hold("#dragged", path);
    await this.run(() => {
      const input = document.querySelector("#dragged");
      const dataTransfer = new DataTransfer();
      for (const file of input.files) dataTransfer.items.add(file);
      input.remove();
      for (const type of ["dragover", "drop"]) {
        document.body.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
      }
    });
  }

  /** Puts a file or a folder into an input for files. */
  hold(selector, path) {
    return this.pick(selector, path);
  }

  /** A PNG of what is seen. */
  async shot() {
    return Buffer.from(await this.call("WebDriver:TakeScreenshot", { full: false }), "base64");
  }

  close() {
    return this.call("WebDriver:CloseWindow");
  }

  async #find(value) {
    const found = await this.call("WebDriver:FindElement", { using: "css selector", value });
    return { id: found[ELEMENT] };
  }
}
