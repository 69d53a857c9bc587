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

/** Serves the build and opens a browser of its own; both end with the test. */
export async function openSite(t, { args = [], ...context } = {}) {
  const server = await preview({ logLevel: "error", preview: { port: 0, host: "127.0.0.1" } });
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: [...ALWAYS, ...args] });
  t.after(async () => {
    await browser.close();
    await server.close();
  });
  const page = await (await browser.newContext(context)).newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  const { port } = server.httpServer.address();
  return { page, errors, address: `http://127.0.0.1:${port}/` };
}

/** Sets the controls and waits for the samples of this request. */
export async function draw(page, { className, truncation, seed, count }, timeout = 30_000) {
  await page.getByRole("combobox", { name: "Class" }).selectOption(className);
  const off = page.getByRole("checkbox", { name: "Truncation off" });
  await off.setChecked(truncation === "off");
  if (truncation !== "off") {
    await page.getByRole("slider", { name: "Truncation" }).fill(String(truncation));
  }
  await page.getByRole("spinbutton", { name: "Count" }).fill(String(count));
  await page.getByRole("spinbutton", { name: "Seed" }).fill(String(seed));
  const alt = `${className}, seed ${seed}, truncation ${truncation}`;
  await page.waitForFunction(
    ([alt, count]) => {
      const list = document.querySelector("ul.samples");
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

/** RGBA bytes of every picture in the list "Samples". */
export async function pixels(page) {
  const list = page.getByRole("list", { name: "Samples" });
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
