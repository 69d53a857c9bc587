/** Says why where the page does not start: a module that fails would leave "Starting…" for ever. Imported first. */

import { element } from "./element.js";

const status = element("status", HTMLParagraphElement);
const starting = status.textContent;

addEventListener("error", ({ message }) => {
  if (status.textContent === starting) status.textContent = `Not started: ${message}. Reload the page, or try another browser.`;
});
