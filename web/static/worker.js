// The service worker. It keeps the page's own files, whose paths tell their content, and a page
// that says that no rover answers. Never the page itself, a command, or anything that a rover said:
// what is not in SHELL, which the server puts before this, passes by untouched.

const NAME = `rover-${SHELL.version}`;
// A rover that has not begun to answer for so long is not there.
const PATIENCE_MS = 4000;

addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(NAME)
      .then((cache) => cache.addAll([SHELL.offline, ...SHELL.files]))
      .then(() => skipWaiting()),
  );
});

addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((name) => name !== NAME).map((name) => caches.delete(name))))
      .then(() => clients.claim()),
  );
});

addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (request.mode === "navigate" && pathname === "/") event.respondWith(fromRover(request));
  else if (SHELL.files.includes(pathname)) event.respondWith(fromShell(request));
});

async function fromRover(request) {
  const offline = () => caches.match(SHELL.offline, { cacheName: NAME });
  const late = new Promise((resolve) => setTimeout(() => resolve(offline()), PATIENCE_MS));
  return (await Promise.race([fetch(request).catch(offline), late])) ?? Response.error();
}

async function fromShell(request) {
  return (await caches.match(request, { cacheName: NAME, ignoreVary: true })) ?? fetch(request);
}
