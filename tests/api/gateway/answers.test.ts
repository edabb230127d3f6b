// What every answer carries: ids, limits, validators, compression, and what keeps a browser safe.
import { gunzipSync } from 'node:zlib';
import { beforeAll, expect, test } from 'vitest';
import type { Board } from '../../generated/api.ts';
import { exchangeRaw } from '../../harness/exchange.ts';
import { board, member, type Person, post, stranger } from '../../harness/people.ts';
import { expectProblem } from '../../harness/problems.ts';
import { RawConnection, sayRaw, statuses } from '../../harness/raw.ts';
import { Server } from '../../harness/server.ts';
import { world } from '../../harness/world.ts';

const scene = world();
let anna: Person;
let talk: Board;

beforeAll(async () => {
  anna = await member(scene.server);
  talk = await board(scene.administrator);
});

test('each answer has a request id of its own, and its log line has the same', async () => {
  const [one, two] = [await anna.ask('GET', '/api/v1/boards'), await anna.ask('GET', '/api/v1/boards/nothing-here')];
  expect(one.headers['x-request-id']).not.toBe(two.headers['x-request-id']);
  await scene.server.line((line) => JSON.stringify(line).includes(String(two.headers['x-request-id'])));
});

test('a request id that the client brings is used when it is an id, and only then', async () => {
  const mine = '018f0000-0000-7000-8000-00000000beef';
  const ask = async (id: string) => (await anna.ask('GET', '/api/v1/boards', { headers: { 'X-Request-Id': id } })).headers['x-request-id'];
  expect(await ask(mine)).toBe(mine);
  for (const other of ['', 'mine', `${mine}0`, '00000000-0000-0000-0000-000000000000', 'x'.repeat(36), '{"event":"forged"}'])
    expect(await ask(other)).not.toBe(other);
});

test('a problem says its type, title, status, code, detail and which request it was', async () => {
  const answer = await anna.ask('GET', '/api/v1/boards/nothing-here');
  const problem = expectProblem(answer, 404, 'not_found');
  expect(problem).toMatchObject({ status: 404, title: 'There is no such thing.', instance: `urn:uuid:${answer.headers['x-request-id']}` });
  expect(problem.type).toContain('not_found');
  expect(problem.detail).toBeTruthy();
  expect(answer.headers['cache-control']).toMatch(/no-store/);
});

test("trace context is handed on: the log lines of a request carry the caller's trace", async () => {
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
  const answer = await anna.ask('GET', '/api/v1/boards/no-such', { headers: { traceparent: `00-${trace}-00f067aa0ba902b7-01` } });
  expect(String(answer.headers.traceparent)).toMatch(new RegExp(`^00-${trace}-[0-9a-f]{16}-[0-9a-f]{2}$`));
  expect(String(answer.headers.traceparent)).not.toContain('00f067aa0ba902b7');
});

test.each([
  '',
  'garbage',
  '00-00000000000000000000000000000000-00f067aa0ba902b7-01',
  '00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01',
  '00-4BF92F3577B34DA6A3CE929D0E0E4736-00F067AA0BA902B7-01',
  'ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  'x'.repeat(3000),
])('a trace parent “%s” that is none is passed over', async (traceparent) => {
  const answer = await anna.ask('GET', '/api/v1/boards', { headers: { traceparent } });
  expect(answer.status).toBe(200);
  expect(String(answer.headers.traceparent ?? '')).not.toContain('4bf92f3577b34da6a3ce929d0e0e4736');
});

test('what one has already is not sent again: 304 while the version stands, 200 once it changed', async () => {
  const made = await post(anna, talk);
  const path = `/api/v1/posts/${made.id}`;
  const { etag } = (await anna.ask('GET', path)).headers;
  for (const match of [etag!, `W/${etag}`, `"0", ${etag}`, '*']) {
    const answer = await anna.ask('GET', path, { headers: { 'If-None-Match': match } });
    expect([match, answer.status]).toEqual([match, 304]);
    expect(answer.headers.etag).toBe(etag);
  }
  await anna.api.changePost({ post: made.id, body: { title: 'New' }, ifMatch: etag! });
  expect((await anna.ask('GET', path, { headers: { 'If-None-Match': etag! } })).status).toBe(200);
});

test('a post whose votes changed is not taken for unchanged', async () => {
  const made = await post(anna, talk);
  const path = `/api/v1/posts/${made.id}`;
  const { etag } = (await anna.ask('GET', path)).headers;
  await anna.api.castVote({ item: made.id, body: { value: 'agree' } });
  const answer = await anna.ask('GET', path, { headers: { 'If-None-Match': etag! } });
  if (answer.status !== 304) return void expect(answer.json<{ tally: object }>().tally).toMatchObject({ agree_count: 1 });
  throw new Error('The answer was 304 although the tally it shows has changed.');
});

test('answers say how much one may still ask', async () => {
  const [one, two] = [await anna.ask('GET', '/api/v1/boards'), await anna.ask('GET', '/api/v1/boards')];
  const left = (value: unknown): number => Number(/(?:remaining|r)=(\d+)/.exec(String(value))?.[1]);
  expect(left(one.headers.ratelimit)).toBeGreaterThan(0);
  expect(left(two.headers.ratelimit)).toBeLessThanOrEqual(left(one.headers.ratelimit));
});

test('a long answer is compressed for those who can read it, and is the same', async () => {
  const thread = await post(anna, talk);
  for (let index = 0; index < 10; index++)
    await anna.api.createComment({ post: thread.id, body: { body: `Comment ${index}. `.repeat(40) } });
  const path = `/api/v1/posts/${thread.id}/comments`;
  const plain = await anna.ask('GET', path, { headers: { 'Accept-Encoding': 'identity' } });
  expect(plain.headers['content-encoding']).toBeUndefined();
  const packed = await exchangeRaw(scene.server, 'GET', path, {
    headers: { 'Accept-Encoding': 'gzip', Authorization: `Bearer ${anna.token}` },
  });
  expect(packed.headers['content-encoding']).toBe('gzip');
  expect(String(packed.headers.vary)).toMatch(/accept-encoding/i);
  expect(packed.raw.length).toBeLessThan(plain.raw.length / 3);
  expect(JSON.parse(gunzipSync(packed.raw).toString('utf8'))).toEqual(plain.json());
});

test.each(['/', '/api/v1/boards', '/api/v1/nothing', '/openapi.json', '/docs', '/healthz'])(
  '%s comes with the headers that keep a browser safe',
  async (path) => {
    const { headers } = await stranger(scene.server).ask('GET', path);
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['referrer-policy']).toBeTruthy();
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).toMatch(/default-src '(self|none)'/);
    expect(policy).not.toMatch(/unsafe-inline|unsafe-eval/);
    expect(headers.server ?? '').not.toMatch(/\d/);
  },
);

test('so do the refusals of what h2o itself does not take, and the live channel', async () => {
  const big = await stranger(scene.server).ask('POST', '/api/v1/sessions', { body: 'x'.repeat(200_000) });
  expectProblem(big, 413, 'payload_too_large');
  const expecting = 'POST /api/v1/sessions HTTP/1.1\r\nHost: localhost\r\nExpect: the-best\r\nContent-Length: 2\r\n\r\n{}';
  const live = 'HEAD /api/v1/live?topic=board/x HTTP/1.1\r\nHost: localhost\r\n\r\n';
  const heads = [await sayRaw(scene.server, expecting), await sayRaw(scene.server, live)].map((text) => text.toLowerCase());
  expect(heads[0]).toContain('100-continue');
  for (const head of [...heads, Object.entries(big.headers).map(([name, value]) => `${name}: ${value}\r\n`).join('')]) {
    expect(head).toContain('x-content-type-options: nosniff\r\n');
    expect(head).toContain('referrer-policy: same-origin\r\n');
    expect(head).toContain("content-security-policy: default-src 'none'");
  }
});

test('HEAD of the live channel has no events, and ends', async () => {
  const connection = await RawConnection.open(scene.server);
  connection.say('HEAD /api/v1/live?topic=board/x HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await connection.untilClosed(5000);
  expect(statuses(connection.text)).toEqual([200]);
  expect(connection.text).toContain('text/event-stream');
  expect(connection.text.endsWith('\r\n\r\n')).toBe(true);
});

test('answers to signed-in people are kept by no shared cache', async () => {
  const { headers } = await anna.ask('GET', '/api/v1/account');
  expect(headers['cache-control']).toMatch(/private|no-store/);
});

test('no other site may read answers from a browser', async () => {
  const answer = await anna.ask('GET', '/api/v1/boards', { headers: { Origin: 'https://evil.example' } });
  expect(answer.headers['access-control-allow-origin']).toBeUndefined();
  const asked = { Origin: 'https://evil.example', 'Access-Control-Request-Method': 'POST' };
  const preflight = await stranger(scene.server).ask('OPTIONS', '/api/v1/boards', { headers: asked });
  expectProblem(preflight, 405, 'method_not_allowed');
  expect(Object.keys(preflight.headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
});

test('a community that reads in private shows strangers nothing but itself', async () => {
  const server = await Server.start({ set: { 'community.public_reading': 'false', 'community.name': 'The lane' } });
  const admin = await member(server);
  const inside = await board(admin);
  const thread = await post(admin, inside);
  const outside = stranger(server);
  expect((await outside.api.readCommunity()).data).toMatchObject({ name: 'The lane', public_reading: false });
  for (const path of [
    '/boards',
    `/boards/${inside.slug}`,
    `/boards/${inside.slug}/posts`,
    `/posts/${thread.id}`,
    `/posts/${thread.id}/comments`,
    `/live?topic=post/${thread.id}`,
  ]) {
    expectProblem(await outside.ask('GET', `/api/v1${path}`), 401, 'unauthenticated');
  }
  expect((await admin.api.readPost({ post: thread.id })).status).toBe(200);
  await server.stop();
});
