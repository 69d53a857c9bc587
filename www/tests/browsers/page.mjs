/** What the page shows, asked through any window. */

import { setTimeout as sleep } from "node:timers/promises";

const TIMEOUT_MS = 20_000;

/** Waits until a function of the page returns something true, and resolves to that. */
export async function until(window, what, condition, ...args) {
  const end = Date.now() + TIMEOUT_MS;
  for (;;) {
    let error;
    // a page that is just going away runs nothing
    const found = await window.run(condition, ...args).catch((failure) => (error = failure) && null);
    if (found) return found;
    if (Date.now() > end) {
      const shown = await window.run(() => `${location.href}\n${document.body.innerText}`).catch(String);
      throw new Error(`waited for ${what}; the page shows ${shown.slice(0, 1500)}`, { cause: error });
    }
    await sleep(30);
  }
}

/**
 * Waits until the list "Samples" shows so many pictures whose texts end like this, but for their numbers, and no more are
 * coming.
 */
export const drawn = (window, alt, count) =>
  until(
    window,
    `${count} times "${alt}"`,
    (alt, count) => {
      const list = document.querySelector("#samples");
      const pictures = [...list.querySelectorAll("img")];
      const texts = pictures.map((picture) => picture.alt.replace(/, sample \d+,/, ","));
      return list.ariaBusy === "false" && texts.length === count && texts.every((text) => text.endsWith(alt));
    },
    alt,
    count,
  );

/** Waits for a text in an element. */
export const said = (window, selector, text) =>
  until(
    window,
    `"${text}" in ${selector}`,
    (selector, text) => [...document.querySelectorAll(selector)].some((element) => element.textContent.includes(text)),
    selector,
    text,
  );

/** RGBA of all samples, one after another. */
export const pixels = (window) =>
  window.run(async () => {
    await Promise.all([...document.querySelectorAll("#samples img")].map((picture) => picture.decode()));
    return [...document.querySelectorAll("#samples img")].flatMap((picture) => {
      const canvas = new OffscreenCanvas(picture.naturalWidth, picture.naturalHeight);
      const context = canvas.getContext("2d");
      context.drawImage(picture, 0, 0);
      return [...context.getImageData(0, 0, canvas.width, canvas.height).data];
    });
  });

/** Puts a value in the place of a field's, by keys. */
export async function fill(window, selector, value) {
  await window.click(selector);
  await window.run((selector) => document.querySelector(selector).select(), selector);
  await window.type(value);
}
