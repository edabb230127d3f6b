// Whether the server can be reached, as far as the last request knows. The browser's own word (navigator.onLine) only ends a wait early:
// it calls any network "online", also one without a way out.
import { Cell } from '../store/cell';

export const reachable = new Cell<boolean>(typeof navigator === 'undefined' || navigator.onLine !== false);

/** The request got no answer at all: no network, or nobody there. */
export class Unreachable extends Error {
  constructor() {
    super('The server could not be reached.');
    this.name = 'Unreachable';
  }
}

const returnListeners = new Set<() => void>();

/** Calls `listener` whenever the server may be there again. */
export function onReturn(listener: () => void): () => void {
  returnListeners.add(listener);
  return () => returnListeners.delete(listener);
}

export function reached(): void {
  if (reachable.value) return;
  reachable.set(true);
  for (const listener of [...returnListeners]) listener();
}

export function notReached(): void {
  reachable.set(false);
}

export function watchNetwork(): void {
  window.addEventListener('offline', notReached);
  window.addEventListener('online', () => {
    for (const listener of [...returnListeners]) listener();
  });
}

/** fetch that ends after `limit` milliseconds without an answer, and tells what it learned of the network. */
export async function fetchWithin(limit: number, url: string, init: RequestInit): Promise<Response> {
  const control = new AbortController();
  const outer = init.signal;
  const stop = () => control.abort();
  // Stays behind the answer's head: who aborts a stream later aborts its body.
  outer?.addEventListener('abort', stop, { once: true });
  if (outer?.aborted) stop();
  const timer = setTimeout(stop, limit);
  try {
    const response = await fetch(url, { ...init, signal: control.signal });
    reached();
    return response;
  } catch (error) {
    if (outer?.aborted) throw error;
    notReached();
    throw new Unreachable();
  } finally {
    clearTimeout(timer);
  }
}
