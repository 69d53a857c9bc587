/** The built page in a real browser. */

import { existsSync, readFileSync } from "node:fs";
import { chromium } from "playwright-core";
import { preview } from "vite";

export const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** Why the tests of this file cannot run, or false. */
export const skip = existsSync(CHROMIUM)
  ? false
  : `no browser at ${CHROMIUM}: apt-get install chromium, or name one in CHROMIUM`;

/** Chromium's software GPU: slow, but it computes what a GPU computes. */
export const SOFTWARE_GPU = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];

export const ALWAYS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-quic"];

/** The page's own model: the first that it offers. */
export const [OWN] = JSON.parse(readFileSync(new URL("../../models/index.json", import.meta.url), "utf8"));

/** Serves the clothes at the address of the page's own model: most tests know their classes, bytes and numbers. */
const clothes = {
  name: "clothes",
  configurePreviewServer: ({ middlewares }) =>
    void middlewares.use((request, _, next) => {
      if (request.url.startsWith(`/models/${OWN.file}`)) request.url = "/models/fashion32.safetensors";
      next();
    }),
};

/** Weights go as they are, as hosts send them: the server takes files of unknown kinds for text, and would compress them. */
const asTheyAre = {
  name: "as-they-are",
  configurePreviewServer: ({ middlewares }) =>
    void middlewares.use((request, _, next) => {
      if (request.url.startsWith("/models/")) delete request.headers["accept-encoding"];
      next();
    }),
};

/** A port that serves the build. */
async function serveSite(t, outDir, own) {
  const server = await preview({
    logLevel: "error",
    plugins: own ? [asTheyAre] : [asTheyAre, clothes],
    build: { outDir },
    preview: { port: 0, host: "127.0.0.1" },
  });
  t.after(() => server.close());
  return server.httpServer.address().port;
}

/**
 * Serves the build and opens a browser of its own; both end with the test. Without a service worker unless
 * the test asks for one, since what passes it cannot be routed. What is folded is opened, and the clothes are in place
 * of the page's own model, unless the test asks for the page as visitors find it.
 */
export async function openSite(t, { args = [], outDir = "dist", folded = false, own = false, ...context } = {}) {
  const port = await serveSite(t, outDir, own);
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: [...ALWAYS, ...args] });
  t.after(() => browser.close());
  const session = await browser.newContext({ serviceWorkers: "block", ...context });
  if (!folded) await unfold(session);
  const page = await session.newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  return { page, errors, address: `http://127.0.0.1:${port}/` };
}

/** Opens what the page folds, in every page of a browser's context. */
export const unfold = (context) =>
  context.addInitScript(() =>
    addEventListener("DOMContentLoaded", () => {
      for (const part of document.querySelectorAll("details.more")) part.open = true;
    }),
  );

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

/** Takes the chip of a class, or searches for it and takes the best one found. */
export async function chooseClass(page, className) {
  const chip = page.locator("#class-chips").getByRole("button", { name: className, exact: true });
  await page.locator("#controls:not([inert])").waitFor();
  if ((await chip.count()) > 0) return chip.click();
  const field = page.getByRole("combobox", { name: "Class", exact: true });
  await field.fill(className);
  await field.press("Enter");
}

/** Waits until the list "Samples" shows so many pictures with this text, but for their numbers, and no more are coming. */
export function drawn(page, alt, count, timeout = 30_000) {
  const whole = ([alt, count]) => {
    const list = document.querySelector("#samples");
    const pictures = [...list.querySelectorAll("img")];
    return (
      list.getAttribute("aria-busy") === "false" &&
      pictures.length === count &&
      pictures.every((picture, index) => picture.alt.replace(`, sample ${index + 1},`, ",") === alt)
    );
  };
  return waitOrTell(page, whole, [alt, count], timeout, `${count} times "${alt}"`);
}

/** Drops files or folders on the page as a visitor does, with the entries that a browser makes of them. */
export async function dropPaths(page, paths) {
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files: paths, dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"]) {
    await session.send("Input.dispatchDragEvent", { type, x: 300, y: 300, data });
  }
  await session.detach();
}

/** Waits until a list shows all its pictures. */
export async function settled(page, name, timeout = 30_000) {
  const whole = (name) => {
    const list = document.querySelector(`[aria-label="${name}"]:is(ul, ol)`);
    const places = [...list.children];
    return (
      list.checkVisibility() &&
      list.getAttribute("aria-busy") === "false" &&
      places.every((place) => place.querySelector("img")?.complete)
    );
  };
  await waitOrTell(page, whole, name, timeout, `the list ${name}`);
  return page.getByRole("list", { name, exact: true });
}

/** Waits, and where that is in vain tells what the page shows. */
async function waitOrTell(page, condition, argument, timeout, what) {
  try {
    await page.waitForFunction(condition, argument, { timeout });
  } catch (error) {
    const shown = await page.evaluate(() => {
      const texts = ["problem", "open-problem", "notices", "status", "timing"].map(
        (id) => `${id}: ${document.getElementById(id)?.textContent}`,
      );
      const lists = [...document.querySelectorAll("[aria-busy]")].map((list) => {
        const images = [...list.querySelectorAll("img")];
        return `${list.id}: busy ${list.ariaBusy}, ${list.children.length} places, ${images.length} pictures, ${images[0]?.alt}`;
      });
      return [location.href, ...texts, ...lists].join("\n  ");
    });
    throw new Error(`waited for ${what}\n  ${shown}`, { cause: error });
  }
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
