/** Draws public/card.png, which programs show next to a link to the page: pictures of the built page's model, and the title. */

import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { preview } from "vite";
import { ALWAYS, CHROMIUM } from "./tests/site.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const SIZE = { width: 1200, height: 630 };
/** Programs leave out large cards, some from 300 kB on. */
const MOST_BYTES = 250_000;
/** Columns and rows of pictures, and their side: the first that is small enough in bytes is taken. */
const GRIDS = [
  { columns: 6, rows: 4, side: 128 },
  { columns: 5, rows: 4, side: 128 },
  { columns: 4, rows: 3, side: 160 },
  { columns: 3, rows: 2, side: 256 },
];
/** One more from picture to picture, so that colours change: of a number that is prime, for classes to meet other seeds. */
const SEEDS = [1, 2, 3, 4, 5, 6, 7];

const server = await preview({ root: here("."), logLevel: "error", preview: { port: 0, host: "127.0.0.1" } });
const browser = await chromium.launch({ executablePath: CHROMIUM, args: ALWAYS });
try {
  const address = `http://127.0.0.1:${server.httpServer.address().port}/`;
  const context = await browser.newContext({ serviceWorkers: "block", viewport: SIZE });
  const overviews = [];
  for (const seed of SEEDS) overviews.push(await overview(context, `${address}#seed=${seed}&t=0.7`));
  const most = Math.max(...GRIDS.map(({ columns, rows }) => columns * rows));
  const pictures = Array.from({ length: most }, (_, place) => {
    const pictures = overviews[place % SEEDS.length];
    return pictures[place % pictures.length];
  });
  writeFileSync(here("public/card.png"), await smallEnough(context, pictures));
} finally {
  await browser.close();
  await server.close();
}

/** The pictures of a link as addresses with their data. */
async function overview(context, link) {
  const page = await context.newPage();
  await page.goto(link);
  await page.waitForFunction(() => {
    const list = document.querySelector("#samples");
    const places = [...list.children];
    return list.ariaBusy === "false" && places.length > 0 && places.every((place) => place.querySelector("img")?.complete);
  });
  const found = await page.locator("#samples img").evaluateAll((images) =>
    images.map((image) => {
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
      canvas.getContext("2d").drawImage(image, 0, 0);
      return { address: canvas.toDataURL(), resolution: image.naturalWidth };
    }),
  );
  await page.close();
  return found;
}

async function smallEnough(context, pictures) {
  const page = await context.newPage();
  for (const grid of GRIDS) {
    await page.setContent(card(pictures, grid));
    const file = await page.screenshot();
    if (file.length <= MOST_BYTES) return file;
  }
  throw new Error(`no grid has a card of ${MOST_BYTES} bytes at most`);
}

function card(pictures, { columns, rows, side }) {
  const shown = pictures.slice(0, columns * rows).map(({ address, resolution }) => {
    // whole pixels, as the page shows them
    const size = resolution > side ? side : side - (side % resolution);
    return `<img src="${address}" width="${size}" height="${size}">`;
  });
  return `<!doctype html>
    <style>
      * { margin: 0; box-sizing: border-box; }
      body { display: flex; align-items: center; justify-content: space-between; width: ${SIZE.width}px;
        height: ${SIZE.height}px; padding: 44px; background: #0c0d10; color: #eae8e3;
        font: 26px/1.4 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; overflow: hidden; }
      h1 { font-size: 64px; letter-spacing: -0.025em; line-height: 1.1; margin-bottom: 28px; }
      h1 span { display: block; color: #a5a9b3; font-size: 40px; font-weight: 400; }
      p { color: #a5a9b3; max-width: 290px; }
      main { display: grid; flex: none; grid-template-columns: repeat(${columns}, auto); gap: 5px; }
      img { display: block; border-radius: 4px; image-rendering: pixelated; }
    </style>
    <header><h1>BigGAN <span>in the browser</span></h1><p>Pictures that a network draws on your own machine.</p></header>
    <main>${shown.join("")}</main>`;
}
