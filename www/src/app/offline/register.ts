/** The service worker: the page works without a network after the first visit, and hears of a new version. */

/** Starts it once the page has done its own work, and calls `onUpdate` with what switches to a new version. */
export async function worksOffline(onUpdate: (reload: () => void) => void): Promise<void> {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  const { serviceWorker } = navigator;
  const registration = await serviceWorker.register("./service-worker.js", { updateViaCache: "none" });
  const announce = (waiting: ServiceWorker) =>
    onUpdate(() => {
      serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
      waiting.postMessage("take-over");
    });
  if (registration.waiting && serviceWorker.controller) announce(registration.waiting);
  registration.addEventListener("updatefound", () => {
    const { installing } = registration;
    installing?.addEventListener("statechange", () => {
      // without a controller it is the first visit's, and nothing is new
      if (installing.state === "installed" && serviceWorker.controller) announce(installing);
    });
  });
  // a page that stays open for days
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") registration.update().catch(() => {});
  });
}
