/**
 * Keeps a version of the page in a cache of its own and answers from it. The build puts VERSION, the hash
 * of all files, and FILES, their addresses, before this text.
 *
 * A version is fetched whole before it counts, and replaces the one that runs only when the visitor says
 * so: pages never mix two versions. The version before stays until no page of it is open. Files with a hash in their
 * name that FILES does not list (the builds for the GPU) are kept when a page has fetched them.
 */

/* global VERSION, FILES */

const PREFIX = `biggan-page ${self.registration.scope} `;
const CACHE = PREFIX + VERSION;
/** Files that never change under their name. */
const HASHED = /\/assets\/[^/]+-[\w-]{8}\.\w+$/;

self.addEventListener("install", (event) => event.waitUntil(install()));
// the first visit goes on without a network too
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || !url.href.startsWith(self.registration.scope)) return;
  // a part of a file is the network's business
  if (request.headers.has("Range")) return;
  event.respondWith(answer(request, url));
});
self.addEventListener("message", (event) => {
  if (event.data === "take-over") self.skipWaiting();
  if (event.data === "page-started") event.waitUntil(dropOldVersions());
});

async function install() {
  const cache = await caches.open(CACHE);
  await Promise.all(
    FILES.map(async (file) => {
      const url = new URL(file, self.registration.scope).href;
      // what an older version has under a hashed name is the same file
      const old = HASHED.test(url) ? await caches.match(url) : undefined;
      const response = old ?? (await fetch(url, { cache: "no-cache" }));
      if (!response.ok) throw new Error(`${url}: the server answered ${response.status}`);
      await cache.put(url, answerable(response));
    }),
  );
}

/** Hosts may redirect index.html to its folder: browsers take no redirected response for a page. */
function answerable(response) {
  const { body, headers, redirected, status } = response;
  return redirected ? new Response(body, { headers, status }) : response;
}

/** Deletes the versions before, unless other pages are open, which may still fetch from them. */
async function dropOldVersions() {
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  if (windows.filter(({ url }) => url.startsWith(self.registration.scope)).length > 1) return;
  const versions = (await caches.keys()).filter((name) => name.startsWith(PREFIX));
  // names come in the order of their making: after this version may be the next, which waits
  for (const name of versions.slice(0, versions.indexOf(CACHE))) await caches.delete(name);
}

async function answer(request, url) {
  const cache = await caches.open(CACHE);
  if (request.mode === "navigate") {
    const page = /\/$/.test(url.pathname) ? `${url.pathname}index.html` : url.pathname;
    return (await cache.match(new URL(page, url).href)) ?? fetch(request);
  }
  const hashed = HASHED.test(url.pathname);
  // a page of the version before asks for its own files
  const kept = (await cache.match(request.url)) ?? (hashed && (await caches.match(request.url)));
  if (kept) return kept;
  const response = await fetch(request);
  if (response.ok && hashed) await cache.put(request.url, response.clone());
  return response;
}
