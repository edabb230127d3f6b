// What the gateway serves besides the API: health, metrics, the document and its page, keys, the web client.
import { expect, test } from 'vitest';
import { document, operationOf, operations, type OpenApi } from '../../harness/document.ts';
import { member, stranger } from '../../harness/people.ts';
import { expectProblem } from '../../harness/problems.ts';
import { world } from '../../harness/world.ts';

const scene = world();
const get = (path: string, headers: Record<string, string> = {}) => stranger(scene.server).ask('GET', path, { headers });

test('the process says that it lives and that it is ready', async () => {
  expect((await get('/healthz')).status).toBe(200);
  expect((await get('/readyz')).status).toBe(200);
});

test('metrics come in the form that Prometheus reads, each with its help and type', async () => {
  await member(scene.server);
  const answer = await get('/metrics');
  expect(String(answer.headers['content-type'])).toMatch(/^text\/plain/);
  const names = new Set([...answer.text.matchAll(/^# TYPE (\S+) /gm)].map((match) => match[1]!));
  for (const line of answer.text.split('\n').filter((each) => each && !each.startsWith('#'))) {
    expect(line).toMatch(/^[a-z_]+(\{[^}]*\})? -?[0-9.e+-]+$/);
    const name = /^[a-z_]+/.exec(line)![0].replace(/_(bucket|sum|count)$/, '');
    expect(names.has(name) || names.has(/^[a-z_]+/.exec(line)![0]), line).toBe(true);
  }
  expect(names.size).toBeGreaterThan(5);
});

test('the published document is the one that this run checks against', async () => {
  const answer = await get('/openapi.json');
  expect(String(answer.headers['content-type'])).toMatch(/^application\/json/);
  const served = answer.json<OpenApi>();
  expect(served.openapi).toBe('3.1.0');
  expect(Object.keys(served.paths).sort()).toEqual(Object.keys(document.paths).sort());
  expect(served.paths).toEqual(document.paths);
  expect(served.components.schemas).toEqual(document.components.schemas);
});

test('every operation of the document has a route', async () => {
  for (const known of operations) {
    const path = known.path.replace(/\{[^}]+\}/g, 'x');
    const answer = await stranger(scene.server).ask(known.method, path);
    expect(answer.status === 404 ? answer.problem().code : 'found', `${known.method} ${path}`).not.toBe('no_such_path');
    expect(answer.status, `${known.method} ${path}`).not.toBe(405);
  }
});

test('every route has its operation in the document: what a path allows is what the document says of it', async () => {
  const all = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
  for (const path of new Set(operations.map((known) => known.path.replace(/\{[^}]+\}/g, 'x')))) {
    const methods = all.filter((method) => operationOf(method, path));
    const missing = all.find((method) => !methods.includes(method))!;
    const answer = await stranger(scene.server).ask(missing, path);
    expectProblem(answer, 405, 'method_not_allowed');
    const allowed = String(answer.headers.allow)
      .split(/,\s*/)
      .filter((method) => method !== 'HEAD' && method !== 'OPTIONS');
    expect([path, allowed.sort()]).toEqual([path, methods.sort()]);
  }
});

test('the document can be read and tried on a page without inline script', async () => {
  const answer = await get('/docs');
  expect(answer.status).toBe(200);
  expect(String(answer.headers['content-type'])).toMatch(/^text\/html/);
  expect(answer.text).not.toMatch(/<script(?![^>]*\bsrc=)[^>]*>\s*\S/i);
  expect(answer.text).not.toMatch(/\son[a-z]+=/i);
  const [, script] = /<script[^>]*\bsrc="([^"]+)"/i.exec(answer.text)!;
  expect((await get(new URL(script!, 'http://x/docs').pathname)).status).toBe(200);
});

test('the keys that sign tokens are published without their secrets', async () => {
  const { keys } = (await get('/.well-known/jwks.json')).json<{ keys: Record<string, string>[] }>();
  expect(keys.length).toBeGreaterThan(0);
  for (const key of keys) expect(Object.keys(key).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
});

test('the web client comes at the root and at each of its addresses, never kept without asking', async () => {
  const root = await get('/');
  expect(root.status).toBe(200);
  expect(String(root.headers['content-type'])).toMatch(/^text\/html/);
  expect(root.headers['cache-control']).toMatch(/no-cache|max-age=0/);
  expect((await get('/boards/some-board')).text).toBe(root.text);
});

test('its assets are named by their content and kept for ever', async () => {
  const root = await get('/');
  for (const [, asset] of root.text.matchAll(/(?:src|href)="(\/assets\/[^"]+\.(?:js|css))"/g)) {
    const answer = await get(asset!);
    expect(answer.status).toBe(200);
    expect(answer.headers['cache-control']).toMatch(/max-age=31536000.*immutable/);
  }
  expect(root.text).toMatch(/"\/assets\/[^"]+\.js"/);
});

test.each(['/assets/nothing-00000000.js', '/assets/nothing', '/assets/', '/.well-known/nothing', '/nothing.png'])(
  '%s is not there and not found, rather than the page',
  async (path) => {
    expectProblem(await get(path), 404, 'no_such_path');
  },
);

test.each([
  '/../folkmoot.conf',
  '/..%2f..%2ffolkmoot.conf',
  '/%2e%2e/%2e%2e/etc/passwd',
  '/assets/../../folkmoot.conf',
  '/assets/%2e%2e/%2e%2e/%2e%2e/etc/passwd',
  '/.git/config',
  '//etc/passwd',
  '/assets/%00',
])("%s does not lead out of the web client's folder", async (path) => {
  const answer = await get(path);
  expect(answer.text).not.toMatch(/root:|identity\.|database\.|\[core\]/);
  expect([200, 400, 404]).toContain(answer.status);
});
