/** What tests of the training page share. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";

export const play = (page) => page.getByRole("button", { name: "Play", exact: true });
const pause = (page) => page.getByRole("button", { name: "Pause", exact: true });
export const step = (page, name) => page.getByRole("button", { name, exact: true });
export const reset = (page) => page.getByRole("button", { name: "Reset", exact: true });

/** Pauses, and waits until the page shows where. */
export async function paused(page) {
  await pause(page).click();
  await page.waitForFunction(() => {
    const shown = document.querySelector("#timeline-value").textContent;
    return play.disabled === false && shown === `${document.querySelector("#counts dd").textContent} steps of G, now`;
  });
}

/** Numbers of the transport: steps of G and of D, images seen. */
export async function counts(page) {
  const texts = await page.locator("#counts dd").allTextContents();
  const [g, d, images] = texts.map((text) => (text === "–" ? null : Number(text.replaceAll(",", ""))));
  return { g, d, images };
}

/** Waits until so many steps of G were taken. */
export const trainedTo = (page, steps, timeout = 60_000) =>
  page.waitForFunction(
    (steps) => Number(document.querySelector("#counts dd").textContent.replaceAll(",", "")) >= steps,
    steps,
    { timeout },
  );

/** The page with data to train on. */
export async function opened(page, address) {
  await page.goto(address);
  await page.waitForFunction(() => document.querySelectorAll("#preview canvas").length > 0);
}

/** Pixels of a canvas as text, to be compared. */
export const pixelsOf = (locator) => locator.evaluate((canvas) => canvas.toDataURL());

/** A PNG of one colour, or of any pixels by `paint(x, y)` -> [red, green, blue]. */
export function png(width, height, paint) {
  const rows = Buffer.alloc(height * (1 + 3 * width));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) rows.set(paint(x, y), y * (1 + 3 * width) + 1 + 3 * x);
  }
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const whole = Buffer.alloc(8 + body.length);
    whole.writeUInt32BE(data.length);
    body.copy(whole, 4);
    whole.writeUInt32BE(crc32(body), 4 + body.length);
    return whole;
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(rows)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

/** A folder of files by path, which goes with the test. */
export function folderOf(t, files) {
  const folder = mkdtempSync(join(tmpdir(), "biggan-images-"));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

/** Pictures of two kinds that differ: circles and squares, each of its own size and colour. */
export function shapes(perClass, side = 40) {
  const files = {};
  for (let number = 0; number < perClass; number++) {
    const colour = [90 + ((number * 37) % 160), 80 + ((number * 61) % 170), 100 + ((number * 17) % 150)];
    const radius = side * (0.25 + 0.01 * (number % 10));
    const inside = {
      circles: (x, y) => Math.hypot(x - side / 2, y - side / 2) < radius,
      squares: (x, y) => Math.max(Math.abs(x - side / 2), Math.abs(y - side / 2)) < radius,
    };
    for (const [name, test] of Object.entries(inside)) {
      files[`${name}/${number}.png`] = png(side, side, (x, y) => (test(x, y) ? colour : [number % 5, 0, 0]));
    }
  }
  return files;
}
