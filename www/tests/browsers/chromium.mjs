/** Debian's Chromium, by Playwright. */

import { join } from "node:path";
import { chromium } from "playwright-core";
import { ALWAYS, CHROMIUM, skip } from "../site.mjs";

export const name = "Chromium";

/** Why it cannot run here, or false. */
export const missing = skip;

/** Starts it; what it downloads comes into the folder. */
export async function launch(downloads) {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ALWAYS });
  const context = await browser.newContext({ viewport: { width: 1280, height: 960 } });
  const another = async () => new Window(await context.newPage(), downloads);
  return { version: browser.version(), window: await another(), another, close: () => browser.close() };
}

class Window {
  #page;

  constructor(page, downloads) {
    this.#page = page;
    page.on("download", (download) => download.saveAs(join(downloads, download.suggestedFilename())));
  }

  /** Sets how much of a page is seen, in CSS pixels. */
  resize(width, height) {
    return this.#page.setViewportSize({ width, height });
  }

  /** Asks for "light", "dark" or "forced" colours; false where the browser has none of them. */
  async shows(scheme) {
    const forced = scheme === "forced";
    await this.#page.emulateMedia({ colorScheme: forced ? "light" : scheme, forcedColors: forced ? "active" : "none" });
    return true;
  }

  goto(url) {
    return this.#page.goto(url);
  }

  reload() {
    return this.#page.reload();
  }

  run(work, ...args) {
    return this.#page.evaluate(`(${work})(...${JSON.stringify(args)})`);
  }

  click(selector) {
    return this.#page.click(selector);
  }

  async type(text) {
    for (const letter of text) await this.#page.keyboard.press(letter === "\n" ? "Enter" : letter);
  }

  pick(selector, path) {
    return this.#page.setInputFiles(selector, path);
  }

  /** The drag of a file or folder from outside, as the browser handles a visitor's. */
  async drop(path) {
    const session = await this.#page.context().newCDPSession(this.#page);
    const data = { items: [], files: [path], dragOperationsMask: 1 };
    for (const type of ["dragEnter", "dragOver", "drop"]) {
      await session.send("Input.dispatchDragEvent", { type, x: 100, y: 100, data });
    }
    await session.detach();
  }

  shot() {
    return this.#page.screenshot();
  }

  close() {
    return this.#page.close();
  }
}
