/** The built page in a real browser. */

import { existsSync } from "node:fs";
import { chromium } from "playwright-core";
import { preview } from "vite";

export const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** Why the tests of this file cannot run, or false. */
export const skip = existsSync(CHROMIUM)
  ? false
  : `no browser at ${CHROMIUM}: apt-get install chromium, or name one in CHROMIUM`;

/** Chromium's software GPU: slow, but it computes what a GPU computes. */
export const SOFTWARE_GPU = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];

const ALWAYS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-quic"];

/** A port that serves the build. */
export async function serveSite(t, outDir = "dist") {
  const server = await preview({
    logLevel: "error",
    build: { outDir },
    preview: { port: 0, host: "127.0.0.1" },
  });
  t.after(() => server.close());
  return server.httpServer.address().port;
}

/**
 * Serves the build and opens a browser of its own; both end with the test. Without a service worker unless
 * the test asks for one, since what passes it cannot be routed.
 */
export async function openSite(t, { args = [], ...context } = {}) {
  const port = await serveSite(t);
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: [...ALWAYS, ...args] });
  t.after(() => browser.close());
  const page = await (
    await browser.newContext({ serviceWorkers: "block", ...context })
  ).newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  return { page, errors, address: `http://127.0.0.1:${port}/` };
}

/** Sets the controls and waits for the samples of this request. */
export async function draw(page, { className, truncation, seed, count }, timeout = 30_000) {
  await chooseClass(page, className);
  const off = page.getByRole("checkbox", { name: "Truncation off" });
  await off.setChecked(truncation === "off");
  if (truncation !== "off") {
    await page.getByRole("slider", { name: "Truncation" }).fill(String(truncation));
  }
  await page.getByRole("spinbutton", { name: "Count" }).fill(String(count));
  await page.getByRole("spinbutton", { name: "Seed" }).fill(String(seed));
  await drawn(page, `${className}, seed ${seed}, truncation ${truncation}`, count, timeout);
}

/** Searches for a class and takes the best one found. */
export async function chooseClass(page, className) {
  const field = page.getByRole("combobox", { name: "Class", exact: true });
  await field.fill(className);
  await field.press("Enter");
}

/** Waits until the list "Samples" shows so many pictures with this text and no more are coming. */
export async function drawn(page, alt, count, timeout = 30_000) {
  await page.waitForFunction(
    ([alt, count]) => {
      const list = document.querySelector("#samples");
      const pictures = [...list.querySelectorAll("img")];
      return (
        list.getAttribute("aria-busy") === "false" &&
        pictures.length === count &&
        pictures.every((picture) => picture.alt === alt)
      );
    },
    [alt, count],
    { timeout },
  );
}

/** Waits until a list shows all its pictures. */
export async function settled(page, name, timeout = 30_000) {
  const list = page.getByRole("list", { name, exact: true });
  const whole = (element) =>
    element.getAttribute("aria-busy") === "false" &&
    [...element.children].every((place) => place.querySelector("img")?.complete);
  await list.waitFor({ timeout });
  await page.waitForFunction(whole, await list.elementHandle(), { timeout });
  return list;
}

/** RGBA bytes of every picture in a list. */
export async function pixels(page, name = "Samples") {
  const list = page.getByRole("list", { name, exact: true });
  const all = await list.getByRole("img").evaluateAll((pictures) =>
    pictures.map((picture) => {
      const canvas = new OffscreenCanvas(picture.naturalWidth, picture.naturalHeight);
      const context = canvas.getContext("2d");
      context.drawImage(picture, 0, 0);
      return [...context.getImageData(0, 0, canvas.width, canvas.height).data];
    }),
  );
  return all.map((bytes) => Uint8Array.from(bytes));
}
