/** WebKitGTK in its own small browser, by WebKitWebDriver, on a screen that nobody sees. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { session, Window } from "./webdriver.mjs";

const DRIVER = "/usr/bin/WebKitWebDriver";
const SCREEN = "/usr/bin/Xvfb";

export const name = "WebKit";

const absent = [DRIVER, SCREEN].find((program) => !existsSync(program));

/** Why it cannot run here, or false. */
export const missing = absent ? `no ${absent}: apt-get install webkit2gtk-driver xvfb` : false;

/** The commands as requests below the address of a session. */
const REQUESTS = {
  "WebDriver:DeleteSession": ["DELETE", () => ""],
  "WebDriver:Navigate": ["POST", () => "/url"],
  "WebDriver:Refresh": ["POST", () => "/refresh"],
  "WebDriver:ExecuteScript": ["POST", () => "/execute/sync"],
  "WebDriver:FindElement": ["POST", () => "/element"],
  "WebDriver:ElementClick": ["POST", ({ id }) => `/element/${id}/click`],
  "WebDriver:ElementSendKeys": ["POST", ({ id }) => `/element/${id}/value`],
  "WebDriver:PerformActions": ["POST", () => "/actions"],
  "WebDriver:GetWindowHandle": ["GET", () => "/window"],
  "WebDriver:SetWindowRect": ["POST", () => "/window/rect"],
  "WebDriver:NewWindow": ["POST", () => "/window/new"],
  "WebDriver:SwitchToWindow": ["POST", () => "/window"],
  "WebDriver:CloseWindow": ["DELETE", () => "/window"],
  "WebDriver:TakeScreenshot": ["GET", () => "/screenshot"],
};

/** Starts it; what it downloads comes into the folder. Its colours are those that it starts with. */
export async function launch(downloads, { scheme = "light" } = {}) {
  const home = mkdtempSync(join(tmpdir(), "biggan-webkit-"));
  writeFileSync(join(home, "user-dirs.dirs"), `XDG_DOWNLOAD_DIR="${downloads}"\n`);
  const screen = spawn(SCREEN, ["-displayfd", "3", "-screen", "0", "2600x1500x24", "-nolisten", "tcp"], {
    stdio: ["ignore", "ignore", "ignore", "pipe"],
  });
  // the number of the display, or none if it ends
  const [display = ""] = await Promise.race([once(screen.stdio[3], "data"), once(screen.stdio[3], "close")]);
  const port = await freePort();
  const driver = spawn(DRIVER, [`--port=${port}`], {
    stdio: "ignore",
    env: {
      ...process.env,
      DISPLAY: `:${String(display).trim()}`,
      // as on a desktop: in the C locale navigator.language is no language
      LC_ALL: "en_US.UTF-8",
      ...(scheme === "dark" && { GTK_THEME: "Adwaita:dark" }),
      ...Object.fromEntries(["HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"].map((key) => [key, home])),
    },
  });
  let call;
  const close = async () => {
    await call?.("WebDriver:DeleteSession").catch(() => {});
    for (const program of [driver, screen]) {
      if (program.exitCode !== null || program.signalCode !== null) continue;
      const ended = once(program, "exit");
      program.kill();
      await ended;
    }
    rmSync(home, { recursive: true, force: true, maxRetries: 10 });
  };
  try {
    const sessions = `http://127.0.0.1:${port}/session`;
    await listening(port);
    const { sessionId, capabilities } = await send("POST", sessions, session({ browserName: "MiniBrowser" }));
    call = (command, parameters = {}) => {
      const [method, path] = REQUESTS[command];
      return send(method, `${sessions}/${sessionId}${path(parameters)}`, parameters);
    };
    const window = new WebKitWindow(call, await call("WebDriver:GetWindowHandle"));
    await window.call("WebDriver:SetWindowRect", { x: 0, y: 0, width: 1280, height: 1000 });
    // a tab that is not in front draws nothing
    const another = async () => new WebKitWindow(call, (await call("WebDriver:NewWindow", { type: "window" })).handle);
    return { version: capabilities.browserVersion, window, another, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function send(method, url, parameters) {
  const body = method === "POST" ? JSON.stringify(parameters) : undefined;
  const { value } = await (await fetch(url, { method, body })).json();
  if (value?.error) throw new Error(`${value.error}: ${value.message}`);
  return value;
}

/** A port that nobody listens at. */
async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

async function listening(port) {
  for (let tries = 200; ; tries--) {
    if (await fetch(`http://127.0.0.1:${port}/status`).catch(() => null)) return;
    if (tries === 0) throw new Error(`${DRIVER} does not answer`);
    await sleep(50);
  }
}

class WebKitWindow extends Window {
  /** The bar of the small browser is no narrower. */
  leastWidth = 447;

  /** Windows have frames and bars, which are measured. */
  async resize(width, height) {
    for (let tries = 0; tries < 3; tries++) {
      const [inner, outer] = await this.run(() => [
        [innerWidth, innerHeight],
        [outerWidth, outerHeight],
      ]);
      if (inner[0] === width && inner[1] === height) return;
      const rect = { width: width + outer[0] - inner[0], height: height + outer[1] - inner[1] };
      await this.call("WebDriver:SetWindowRect", { x: 0, y: 0, ...rect });
      await sleep(200);
    }
  }

  async shows(scheme) {
    return scheme !== "forced" && this.run((scheme) => matchMedia(`(prefers-color-scheme: ${scheme})`).matches, scheme);
  }
}
