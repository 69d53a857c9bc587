/**
 * Debian's Firefox, by Marionette: the WebDriver inside of it, to which geckodriver hands commands on. Debian 12 has no
 * geckodriver.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { session, Window } from "./webdriver.mjs";

const PROGRAM = "/usr/bin/firefox-esr";
const FLAGS = ["--headless", "--no-remote", "--marionette", "--remote-allow-system-access", "--profile"];

export const name = "Firefox";

/** Why it cannot run here, or false. */
export const missing = existsSync(PROGRAM) ? false : `no ${PROGRAM}: apt-get install firefox-esr`;

const PREFERENCES = {
  "marionette.port": 0,
  "browser.download.folderList": 2,
  "app.normandy.enabled": false,
  "datareporting.policy.dataSubmissionEnabled": false,
  // a page may walk a folder that no hand has dropped
  "dom.filesystem.pathcheck.disabled": true,
};

/** Starts it; what it downloads comes into the folder. */
export async function launch(downloads) {
  const profile = mkdtempSync(join(tmpdir(), "biggan-firefox-"));
  const preferences = Object.entries({ ...PREFERENCES, "browser.download.dir": downloads });
  const lines = preferences.map(([key, value]) => `user_pref("${key}", ${JSON.stringify(value)});\n`);
  writeFileSync(join(profile, "user.js"), lines.join(""));
  const size = { MOZ_HEADLESS_WIDTH: "1280", MOZ_HEADLESS_HEIGHT: "1000" };
  const browser = spawn(PROGRAM, [...FLAGS, profile], { stdio: "ignore", env: { ...process.env, ...size } });
  const ended = once(browser, "exit");
  const close = async () => {
    browser.kill();
    await ended;
    rmSync(profile, { recursive: true, force: true, maxRetries: 10 });
  };
  try {
    const portFile = join(profile, "MarionetteActivePort");
    while (!existsSync(portFile)) {
      if (browser.exitCode !== null) throw new Error(`${PROGRAM} ends with ${browser.exitCode}`);
      await sleep(50);
    }
    const call = await marionette(Number(readFileSync(portFile, "utf8")));
    const { capabilities } = await call("WebDriver:NewSession", session());
    const window = new FirefoxWindow(call, await call("WebDriver:GetWindowHandle"));
    const another = async () => new FirefoxWindow(call, (await call("WebDriver:NewWindow", { type: "tab" })).handle);
    return { version: capabilities.browserVersion, window, another, close };
  } catch (error) {
    await close();
    throw error;
  }
}

class FirefoxWindow extends Window {
  /** A window of its own has a least width: what it shows is made narrower inside of it. */
  async resize(width, height) {
    const work = (width, height) => {
      const { selectedBrowser } = window.browsingContext.topChromeWindow.gBrowser;
      Object.assign(selectedBrowser.style, { width: `${width}px`, height: `${height}px`, flex: "none" });
    };
    await this.call("WebDriver:SetWindowRect", { width: Math.max(width, 600) + 40, height: height + 140 });
    await this.#within(work, [width, height]);
  }

  async shows(scheme) {
    const work = (forced, content) => {
      Services.prefs.setIntPref("layout.css.prefers-color-scheme.content-override", content);
      Services.prefs.setIntPref("browser.display.document_color_use", forced ? 2 : 0);
    };
    await this.#within(work, [scheme === "forced", scheme === "dark" ? 0 : 1]);
    return true;
  }

  /** Runs a function with the browser's own rights, beside its windows. */
  async #within(work, args) {
    await this.call("Marionette:SetContext", { value: "chrome" });
    try {
      await this.call("WebDriver:ExecuteScript", { script: `(${work})(...arguments)`, args });
    } finally {
      await this.call("Marionette:SetContext", { value: "content" });
    }
  }

  /** As the visitor's key does: WebDriver's own in Firefox passes the service worker by. */
  async reload() {
    await this.run(() => {
      document.documentElement.dataset.stale = "";
      location.reload();
    });
    const fresh = () => !("stale" in document.documentElement.dataset) && document.readyState === "complete";
    while (!(await this.run(fresh).catch(() => false))) await sleep(20);
  }

  /** WebDriver in Firefox picks no folder; a script with the browser's own rights does. */
  hold(selector, path) {
    const work = async (selector, path) => {
      const { classes, interfaces } = Components;
      const file = classes["@mozilla.org/file/local;1"].createInstance(interfaces.nsIFile);
      file.initWithPath(path);
      const held = await window.File.createFromNsIFile(file, { existenceCheck: false });
      document.querySelector(selector).mozSetFileArray([held]);
    };
    const script = `return (${work})(...arguments)`;
    return this.call("WebDriver:ExecuteScript", { sandbox: "system", script, args: [selector, path] });
  }
}

/** A function that sends a command and resolves to its result. */
async function marionette(port) {
  const socket = connect(port, "127.0.0.1");
  const waiting = new Map();
  let received = Buffer.alloc(0);
  // a message is its length in bytes, a colon and JSON
  socket.on("data", (data) => {
    received = Buffer.concat([received, data]);
    for (;;) {
      const colon = received.indexOf(":");
      const end = colon + 1 + Number(received.toString("latin1", 0, colon));
      if (colon < 0 || received.length < end) return;
      const message = JSON.parse(received.toString("utf8", colon + 1, end));
      received = received.subarray(end);
      // the greeting is no answer
      if (!Array.isArray(message)) continue;
      const [, id, error, result] = message;
      const { resolve, reject } = waiting.get(id);
      waiting.delete(id);
      if (error) reject(new Error(`${error.error}: ${error.message}`));
      // all but a few results are wrapped
      else resolve(result && "value" in result ? result.value : result);
    }
  });
  await once(socket, "connect");
  socket.once("close", () => {
    for (const { reject } of waiting.values()) reject(new Error("Firefox has ended"));
  });
  let last = 0;
  return (command, parameters = {}) =>
    new Promise((resolve, reject) => {
      waiting.set(++last, { resolve, reject });
      const message = JSON.stringify([0, last, command, parameters]);
      socket.write(`${Buffer.byteLength(message)}:${message}`);
    });
}
