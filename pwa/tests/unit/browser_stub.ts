// The few things of a browser that the session and the outbox stand on.
import 'fake-indexeddb/auto';
import { webcrypto } from 'node:crypto';

// Node 18 has it, but not as a global.
globalThis.crypto ??= webcrypto as Crypto;

class Storage {
  [key: string]: unknown;
  getItem(key: string): string | null {
    return Object.hasOwn(this, key) ? String(this[key]) : null;
  }
  setItem(key: string, value: string): void {
    this[key] = value;
  }
  removeItem(key: string): void {
    delete this[key];
  }
}

/** Answers requests in turn; `undefined` is a connection that broke. */
export class Net {
  readonly sent: { url: string; method: string; key: string | null; auth: string | null; body: unknown }[] = [];
  answers: ((request: { url: string; key: string | null }) => Response | undefined)[] = [];

  fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const headers = new Headers(init.headers);
    const key = headers.get('Idempotency-Key');
    this.sent.push({
      url,
      method: init.method ?? 'GET',
      key,
      auth: headers.get('Authorization'),
      body: init.body ? JSON.parse(String(init.body)) : undefined,
    });
    const answer = this.answers.shift()?.({ url, key });
    if (!answer) throw new TypeError('Failed to fetch');
    return answer;
  };
}

export function json(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers });
}

export function problem(status: number, code: string, headers: Record<string, string> = {}): Response {
  return json(status, { type: 'about:blank', title: code, status, code, instance: '' }, headers);
}

export function stubBrowser(): { net: Net; storage: Storage } {
  const net = new Net();
  const storage = new Storage();
  const target = Object.assign(new EventTarget(), { visibilityState: 'visible' });
  Object.assign(globalThis, {
    localStorage: storage,
    fetch: net.fetch,
    window: new EventTarget(),
    document: target,
    BroadcastChannel: undefined,
  });
  return { net, storage };
}

export const ACCOUNT = {
  id: 'member-1',
  name: 'asha',
  tier: 'unverified' as const,
  roles: [],
  created_at: '2026-01-01T00:00:00Z',
};

export function signedIn(number: number): unknown {
  return {
    account: ACCOUNT,
    session: 'session-1',
    access_token: `access-${number}`,
    token_type: 'Bearer',
    expires_in: 900,
    refresh_token: `refresh-${number}`,
  };
}
