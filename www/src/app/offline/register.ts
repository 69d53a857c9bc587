/** Registers the service worker: the page works offline after the first visit, and learns of new versions. */

import { someAreBeingMade } from "../being-made.js";

/** Starts it once the page has loaded, and calls `onUpdate` with a function that switches to a new version. */
export async function worksOffline(onUpdate: (reload: () => void) => void): Promise<void> {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  const { serviceWorker } = navigator;
  serviceWorker.controller?.postMessage("page-started");
  const registration = await serviceWorker.register("./service-worker.js", { updateViaCache: "none" });
  const announce = (waiting: ServiceWorker) =>
    onUpdate(() => {
      // another tab may have switched already
      if (waiting.state !== "installed") return location.reload();
      serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
      waiting.postMessage("take-over");
    });
  if (registration.waiting && serviceWorker.controller) announce(registration.waiting);
  registration.addEventListener("updatefound", () => {
    const { installing } = registration;
    // without a controller this is the first visit, not an update; one may come before it is installed
    const isUpdate = serviceWorker.controller !== null;
    installing?.addEventListener("statechange", () => {
      if (installing.state === "installed" && isUpdate) announce(installing);
    });
  });
  const look = () => void registration.update().catch(() => {});
  // for a page that stays open for days
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") look();
  });
  // a version with more builds comes within minutes
  if (someAreBeingMade) setInterval(look, 5_000);
}
