// Keeps the page for use without a network, and lets it be isolated on a host that sends no headers.
//
// `cargo xtask build` writes three constants above this line: FILES, every file that the page needs with its
// SHA-256, VERSION, a hash of that list, and HAS_RELAXED_SIMD. Each version has a cache of its own, from which it serves only
// once all files are in it and each has its hash: until then everything comes from the network. So a page
// never gets files of two versions, however late it asks for its worker.

const SCOPE = new URL(self.registration.scope);
const CACHES = `retune ${SCOPE} `;
const CACHE = CACHES + VERSION;
// Not of a version: photos that wait for the page to take them.
const SHARED = `retune-shared ${SCOPE}`;

const address = (name, hash) => new URL(`${name}?sha256=${hash}`, SCOPE).href;
const COMPLETE = new URL(`?complete=${VERSION}`, SCOPE).href;

// The engine that this browser does not load.
const OTHER_ENGINE = HAS_RELAXED_SIMD ? "engine_plain_bg.wasm" : "engine_bg.wasm";

let complete = false;
let filling = null;

self.addEventListener("install", (event) => {
  // A version that follows another waits until it has all files, and then until nobody runs the other.
  // Where there is no other to wait for, this one starts at once, and the page has it filled when it is idle.
  const install = async () => {
    if (self.registration.active && (await somethingKept())) await fill();
    else await self.skipWaiting();
  };
  event.waitUntil(install());
});

self.addEventListener("activate", (event) => {
  const old = (name) => name.startsWith(CACHES) && name !== CACHE;
  const tidy = async () => {
    const names = (await caches.keys()).filter(old);
    await Promise.all(names.map((name) => caches.delete(name)));
  };
  event.waitUntil(tidy());
});

self.addEventListener("message", (event) => {
  const tasks = { fill, activate, shared };
  if (Object.hasOwn(tasks, event.data)) event.waitUntil(tasks[event.data](event.source));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== SCOPE.origin || !url.pathname.startsWith(SCOPE.pathname)) return;
  const name = url.pathname.slice(SCOPE.pathname.length) || "index.html";
  if (request.method === "POST" && name === "share") event.respondWith(share(request));
  else if (request.method === "GET" && Object.hasOwn(FILES, name)) event.respondWith(serve(request, name));
});

async function serve(request, name) {
  complete ||= Boolean(await caches.match(COMPLETE));
  const kept = complete && (await caches.match(address(name, FILES[name])));
  return kept || isolated(await fetch(request));
}

/** Keeps every file; fails if the host has another version of one, and then nothing is served from here. */
function fill() {
  filling ??= fillOnce().finally(() => (filling = null));
  return filling;
}

async function fillOnce() {
  const cache = await caches.open(CACHE);
  if (await cache.match(COMPLETE)) return;
  for (const [name, hash] of Object.entries(FILES)) {
    if (name === OTHER_ENGINE) continue;
    const key = address(name, hash);
    if ((await cache.match(key)) || (await inStorage(name, hash))) continue;
    // Of an earlier version, where it is the same file.
    const kept = await caches.match(key);
    await cache.put(key, kept ?? (await download(name, hash)));
  }
  await cache.put(COMPLETE, new Response());
}

async function download(name, hash) {
  // Asks the host whether what the page has just loaded is still so, instead of loading it again.
  const response = await fetch(new URL(name, SCOPE), { cache: "no-cache" });
  if (!response.ok) throw new Error(`${name}: the server answered ${response.status}`);
  const bytes = await response.arrayBuffer();
  if ((await sha256(bytes)) !== hash) throw new Error(`${name}: the server has another version`);
  const headers = new Headers(response.headers);
  // Of the way here, not of the file.
  for (const header of ["content-encoding", "content-length", "vary"]) headers.delete(header);
  return isolated(new Response(bytes, { headers }));
}

/** Whether the engine keeps that model already, as src/platform/web/store.rs does: two slots with a header. */
async function inStorage(name, hash) {
  if (!name.startsWith("models/")) return false;
  const HEADER = 32;
  try {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle("retune");
    for (const slot of ["a", "b"]) {
      const handle = await folder.getFileHandle(`bundled-${name.split("/").pop()}.${slot}`).catch(() => null);
      const file = await handle?.getFile();
      if (file && (await sha256(await file.slice(HEADER).arrayBuffer())) === hash) return true;
    }
  } catch {
    // No storage of that kind, or nothing in it yet.
  }
  return false;
}

async function sha256(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function somethingKept() {
  return (await caches.keys()).some((name) => name.startsWith(CACHES));
}

/** The response with the headers by which a page has shared memory and fine timers. */
function isolated(response) {
  // A redirect of a navigation, which only the browser may look into.
  if (response.status === 0) return response;
  const headers = new Headers(response.headers);
  headers.set("cross-origin-opener-policy", "same-origin");
  headers.set("cross-origin-embedder-policy", "require-corp");
  headers.set("cross-origin-resource-policy", "same-origin");
  const { status, statusText } = response;
  return new Response(response.body, { status, statusText, headers });
}

/** Takes the place of the version before, unless another tab runs that. */
async function activate(page) {
  const open = await self.clients.matchAll({ includeUncontrolled: true, type: "window" });
  if (open.filter((tab) => tab.url.startsWith(SCOPE.href)).length > 1) page.postMessage("others");
  else await self.skipWaiting();
}

/** Keeps photos that another app shared, and opens the page, which asks for them. */
async function share(request) {
  const form = await request.formData();
  const photos = form.getAll("photos").filter((photo) => photo instanceof File);
  const cache = await caches.open(SHARED);
  await Promise.all(
    photos.map((photo, i) => {
      const headers = { "x-name": encodeURIComponent(photo.name) };
      return cache.put(new URL(`?shared=${i}`, SCOPE), new Response(photo, { headers }));
    }),
  );
  return Response.redirect(new URL("?shared", SCOPE), 303);
}

/** Hands those photos to the page. */
async function shared(page) {
  const cache = await caches.open(SHARED);
  const photos = [];
  for (const request of await cache.keys()) {
    const response = await cache.match(request);
    const blob = await response.blob();
    photos.push(new File([blob], decodeURIComponent(response.headers.get("x-name")), { type: blob.type }));
  }
  await caches.delete(SHARED);
  page.postMessage(photos);
}
