/** Files that are dropped anywhere on the page. */

import { element } from "./element.js";

/** Shows the overlay while files are over the page, and passes on dropped files. */
export function listenToDrops(onDrop: (transfer: DataTransfer) => void): void {
  const overlay = element("drop", HTMLDivElement);
  const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
  addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    overlay.hidden = false;
  });
  addEventListener("dragleave", (event) => {
    // leaving the window, not moving from element to element
    if (event.relatedTarget === null) overlay.hidden = true;
  });
  addEventListener("drop", (event) => {
    overlay.hidden = true;
    if (!hasFiles(event) || !event.dataTransfer) return;
    event.preventDefault();
    onDrop(event.dataTransfer);
  });
}
