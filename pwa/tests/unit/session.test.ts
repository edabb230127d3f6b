import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ACCOUNT, json, problem, signedIn, stubBrowser, type Net } from './browser_stub';

let net: Net;
let storage: { getItem(key: string): string | null };
let session: typeof import('../../src/session/session');
let transport: typeof import('../../src/api/transport');

/** The page as it starts with a session stored. */
async function start(): Promise<void> {
  vi.resetModules();
  session = await import('../../src/session/session');
  transport = await import('../../src/api/transport');
  session.startSession();
}

beforeEach(async () => {
  const stub = stubBrowser();
  net = stub.net;
  storage = stub.storage;
  stub.storage.setItem(
    'folkmoot.session',
    JSON.stringify({ refresh_token: 'refresh-0', session: 'session-1', account: ACCOUNT }),
  );
  await start();
});

const stored = (): unknown => JSON.parse(storage.getItem('folkmoot.session') ?? 'null')?.refresh_token;

describe('a session', () => {
  it('is known at once and fetches its access token when it is needed', async () => {
    expect(session.account.value?.name).toBe('asha');
    net.answers = [() => json(200, signedIn(1))];
    expect(await session.accessToken()).toBe('access-1');
    expect(stored()).toBe('refresh-1');
    expect(await session.accessToken()).toBe('access-1');
    expect(net.sent).toHaveLength(1);
  });

  it('asks once for many at the same time', async () => {
    net.answers = [() => json(200, signedIn(1))];
    expect(await Promise.all([session.accessToken(), session.accessToken(), session.accessToken()])).toEqual([
      'access-1',
      'access-1',
      'access-1',
    ]);
    expect(net.sent).toHaveLength(1);
  });

  it('repeats a refresh whose answer was lost under the same key, also after a restart of the page', async () => {
    net.answers = [() => undefined];
    await expect(session.accessToken()).rejects.toThrow();
    expect(stored()).toBe('refresh-0');
    await start();
    net.answers = [() => json(200, signedIn(1))];
    expect(await session.accessToken()).toBe('access-1');
    expect(net.sent[0]?.key).toBe(net.sent[1]?.key);
    expect(net.sent[0]?.key).toMatch(/^[0-9a-f]{32}$/);
    expect(storage.getItem('folkmoot.refresh')).toBeNull();
  });

  it('uses a new key for a new token', async () => {
    net.answers = [() => json(200, signedIn(1)), () => json(200, signedIn(2))];
    await session.accessToken();
    await session.accessToken('access-1');
    expect(net.sent[1]?.body).toEqual({ refresh_token: 'refresh-1' });
    expect(net.sent[0]?.key).not.toBe(net.sent[1]?.key);
  });

  it('outlives a busy server, and ends when the server says so', async () => {
    net.answers = [() => problem(503, 'busy')];
    await expect(session.accessToken()).rejects.toThrow();
    expect(session.account.value).toBeDefined();
    net.answers = [() => problem(401, 'session_ended')];
    expect(await session.accessToken()).toBeUndefined();
    expect(session.account.value).toBeUndefined();
    expect(session.endedByServer.value).toBe(true);
    expect(stored()).toBeUndefined();
  });
});

describe('a request', () => {
  it('refused for its token is sent once more with a new one', async () => {
    net.answers = [
      () => json(200, signedIn(1)),
      () => problem(401, 'unauthenticated'),
      () => json(200, signedIn(2)),
      () => json(200, { items: [] }),
    ];
    const answer = await transport.transport.request('GET', '/api/v1/boards', {});
    expect(answer.status).toBe(200);
    expect(net.sent.map((request) => request.auth)).toEqual([null, 'Bearer access-1', null, 'Bearer access-2']);
  });

  it('refused twice is not sent a third time', async () => {
    net.answers = [
      () => json(200, signedIn(1)),
      () => problem(401, 'unauthenticated'),
      () => json(200, signedIn(2)),
      () => problem(401, 'unauthenticated'),
    ];
    expect((await transport.transport.request('GET', '/api/v1/sessions', {})).status).toBe(401);
    expect(net.sent).toHaveLength(4);
  });

  it('that reads is answered from what was kept when the network is gone', async () => {
    net.answers = [() => json(200, signedIn(1)), () => json(200, { items: [1] })];
    await transport.transport.request('GET', '/api/v1/kept', { query: { limit: 5, cursor: undefined } });
    await vi.waitFor(async () => {
      const { body } = await transport.transport.request('GET', '/api/v1/kept', { query: { limit: 5 } });
      expect(body).toEqual({ items: [1] });
    });
    await expect(transport.transport.request('GET', '/api/v1/never-read', {})).rejects.toThrow('could not be reached');
  });

  it('of another reader is not answered with what this one may see', async () => {
    net.answers = [() => json(200, signedIn(1)), () => json(200, { secret: true })];
    await transport.transport.request('GET', '/api/v1/mine', {});
    await session.end();
    await expect(transport.transport.request('GET', '/api/v1/mine', {})).rejects.toThrow('could not be reached');
  });
});
