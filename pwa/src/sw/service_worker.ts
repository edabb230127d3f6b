// The service worker: keeps the files of the web client, so that it opens without a network and at once on a slow one. It does not touch the
// API: what was read is kept by the page, which knows whose it is (offline/answers.ts).
declare const self: ServiceWorkerGlobalScope;

/** Filled in by the build: the files of the first view, and a name that changes with any of them. */
const FILES: string[] = JSON.parse('__FILES__') as string[];
const CACHE = 'folkmoot-__VERSION__';
const SHELL = '/index.html';

/** Addresses that are the server's own, not screens of the client. */
const SERVED = /^\/(api|docs|healthz|readyz|metrics|openapi\.json|\.well-known)(\/|$)/;

/** Files whose names change with their contents come from where the page has just put them, not over the network again. */
function requestOf(file: string): Request {
  return new Request(file, { cache: file.startsWith('/assets/') ? 'default' : 'reload' });
}

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES.map(requestOf))));
});

async function dropOld(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(
    names.filter((name) => name.startsWith('folkmoot-') && name !== CACHE).map((name) => caches.delete(name)),
  );
  await self.clients.claim();
}

self.addEventListener('activate', (event) => event.waitUntil(dropOld()));

self.addEventListener('message', (event) => {
  if (event.data === 'use') void self.skipWaiting();
});

async function kept(name: string, request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  return (await cache.match(name)) ?? fetch(request);
}

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== self.location.origin || SERVED.test(url.pathname)) return;
  if (request.mode === 'navigate') event.respondWith(kept(SHELL, request));
  else if (FILES.includes(url.pathname)) event.respondWith(kept(url.pathname, request));
});

export {};
