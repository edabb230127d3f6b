// Requests that no decent client sends: paths, methods, headers and framing.
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import type { Board } from '../../generated/api.ts';
import { board, member, type Person, post, stranger } from '../../harness/people.ts';
import { expectProblem, expectWrong } from '../../harness/problems.ts';
import { RawConnection, sayRaw, statuses } from '../../harness/raw.ts';
import { world } from '../../harness/world.ts';

const scene = world();
let anna: Person;
let talk: Board;

beforeAll(async () => {
  anna = await member(scene.server);
  talk = await board(scene.administrator);
});

const raw = (bytes: string | Buffer): Promise<string> => sayRaw(scene.server, bytes);

test.each([
  '/api',
  '/api/',
  '/api/v1',
  '/api/v1/',
  '/api/v2/boards',
  '/api/v1/board',
  '/api/v1/boards/',
  '/api/v1//boards',
  '/api/v1/boards/x/y/z',
  '/API/v1/boards',
  '/api/v1/boards/x/posts/extra',
  '/api/v1/%62oards/x/y',
])('there is nothing at %s', async (path) => {
  const answer = await anna.ask('GET', path);
  expect(answer.status).toBe(404);
  expect(['no_such_path', 'not_found']).toContain(answer.problem().code);
});

test.each([
  ['/api/v1/boards', 'DELETE', ['GET', 'POST']],
  ['/api/v1/boards/x', 'PUT', ['GET', 'PATCH']],
  ['/api/v1/items/018f0000-0000-7000-8000-000000000000/vote', 'POST', ['DELETE', 'PUT']],
  ['/api/v1/community', 'POST', ['GET']],
  ['/api/v1/sessions/refresh', 'DELETE', ['POST']],
])('%s does not know %s, and says what it knows', async (path, method, allowed) => {
  const answer = await anna.ask(method, path);
  expectProblem(answer, 405, 'method_not_allowed');
  const named = String(answer.headers.allow)
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== 'HEAD' && each !== 'OPTIONS');
  expect(named.sort()).toEqual(allowed);
});

test.each(['TRACE', 'FROB', 'PROPFIND', 'get'])('the method %s is refused', async (method) => {
  const text = await raw(`${method} /api/v1/boards HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  expect([400, 405, 501]).toContain(statuses(text)[0]);
});

test('HEAD answers as GET does, without a body', async () => {
  const path = `/api/v1/boards/${talk.slug}`;
  const [head, get] = [await anna.ask('HEAD', path), await anna.ask('GET', path)];
  expect([head.status, head.headers.etag, head.headers['content-length']]).toEqual([200, get.headers.etag, String(get.raw.length)]);
  expect(head.raw).toHaveLength(0);
});

test.each(['%', '%2', '%zz', '%00', 'a%00b', '%ff', '%c0%af'])('a path value “%s” that is badly encoded is refused', async (value) => {
  const answer = await anna.ask('GET', `/api/v1/boards/${value}`);
  expect([400, 404]).toContain(answer.status);
});

test.each([
  '?',
  '?&',
  '?&&=',
  '?=',
  '?limit',
  '?limit=%',
  '?limit=%zz',
  '?%6cimit=x',
  '?limit[]=1',
  '?limit=%00',
  '?limit=%ff',
  '?limit=1;cursor=2',
  `?${'a=b&'.repeat(200)}`,
  `?limit=${'9'.repeat(1000)}`,
])('a query “%s” that is garbage is refused or passed over', async (query) => {
  const answer = await anna.ask('GET', `/api/v1/boards${query}`);
  expect([200, 400, 422]).toContain(answer.status);
  if (answer.status === 422) expect(answer.problem().errors!.every((error) => error.pointer.startsWith('query/'))).toBe(true);
});

test('an unknown parameter is named', async () => {
  expectWrong(await anna.ask('GET', '/api/v1/boards?colour=red'), 'query/colour');
});

test('a parameter may be percent-encoded', async () => {
  expect((await anna.ask('GET', '/api/v1/boards?%6cimit=%31')).json<{ items: unknown[] }>().items).toHaveLength(1);
});

test('a target of 100,000 characters is refused and the connection is closed or goes on', async () => {
  const text = await raw(`GET /api/v1/boards?cursor=${'x'.repeat(100_000)} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  expect(statuses(text)).toHaveLength(1);
  expect(statuses(text).every((status) => status >= 400 && status < 500)).toBe(true);
});

test('headers of a megabyte are cut off', async () => {
  const connection = await RawConnection.open(scene.server);
  connection.say('GET /api/v1/boards HTTP/1.1\r\nHost: localhost\r\n');
  for (let index = 0; index < 100 && !connection.closed; index++) connection.say(`X-Filler-${index}: ${'y'.repeat(10_000)}\r\n`);
  connection.say('\r\n');
  await connection.untilClosed(12_000);
  expect(statuses(connection.text).every((status) => status >= 400)).toBe(true);
});

test('a thousand headers are refused', async () => {
  const headers = Array.from({ length: 1000 }, (_, index) => `X-${index}: y\r\n`).join('');
  const text = await raw(`GET /api/v1/boards HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${headers}\r\n`);
  expect(statuses(text).every((status) => status >= 400)).toBe(true);
});

test.each([
  ['a header without a colon', 'GET /api/v1/boards HTTP/1.1\r\nHost localhost\r\n\r\n'],
  ['a blank before the colon', 'GET /api/v1/boards HTTP/1.1\r\nHost : localhost\r\n\r\n'],
  ['a NUL in a header', 'GET /api/v1/boards HTTP/1.1\r\nHost: local\0host\r\n\r\n'],
  ['an unknown protocol', 'GET /api/v1/boards HTTQ/1.1\r\nHost: localhost\r\n\r\n'],
  ['no target', 'GET HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  [
    'a length that is no number',
    'POST /api/v1/boards HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: many\r\n\r\n{}',
  ],
  [
    'a negative length',
    'POST /api/v1/boards HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: -2\r\n\r\n{}',
  ],
  [
    'a chunk of an absurd size',
    'POST /api/v1/boards HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{}\r\n0\r\n\r\n',
  ],
  [
    'an unknown transfer encoding',
    'POST /api/v1/boards HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: gzip\r\n\r\n{}',
  ],
  ['a TLS greeting', Buffer.from('16030100a5010000a10303', 'hex')],
  ['noise', Buffer.from(Array.from({ length: 300 }, (_, index) => (index * 37) % 256))],
  ['an HTTP/2 preface cut short', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nxxxx'],
])(
  'a request with %s ends in a refusal and harms nobody',
  async (_, bytes) => {
    const connection = await RawConnection.open(scene.server);
    connection.say(bytes);
    await connection.until((text) => statuses(text).length > 0, 12_000);
    expect(statuses(connection.text).every((status) => status >= 400 && status < 600)).toBe(true);
    connection.destroy();
    expect((await anna.api.readBoard({ board: talk.slug })).status).toBe(200);
  },
  15_000,
);

test.each([
  ['two lengths', 'Content-Length: 17\r\nContent-Length: 3'],
  ['the same length twice', 'Content-Length: 17\r\nContent-Length: 17'],
  ['a length and chunks', 'Content-Length: 30\r\nTransfer-Encoding: chunked'],
  ['chunks and a length', 'Transfer-Encoding: chunked\r\nContent-Length: 30'],
  ['two transfer encodings', 'Transfer-Encoding: identity\r\nTransfer-Encoding: chunked'],
  ['a header in two lines', 'Content-Length: 17\r\nX-Folded: one\r\n two'],
  ['two hosts', 'Content-Length: 17\r\nHost: elsewhere'],
])('a request with %s could be read as two: it is refused, and nothing after it is read', async (_, framing) => {
  const body = '{"title":"Hidde"}';
  const sent = framing.includes('chunked') ? `11\r\n${body}\r\n0\r\n\r\n` : body;
  const head = `POST /api/v1/boards/${talk.slug}/posts HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${anna.token}\r\nContent-Type: application/json\r\n`;
  const connection = await RawConnection.open(scene.server);
  connection.say(`${head}${framing}\r\n\r\n${sent}GET /api/v1/community HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  await connection.untilClosed(5000);
  expect(statuses(connection.text)).toEqual([400]);
  expect(connection.text).toContain('"code":"malformed"');
  expect((await anna.api.listPosts({ board: talk.slug })).data.items.filter((each) => each.title === 'Hidde')).toEqual([]);
});

test('a request without a host is refused, but of HTTP/1.0', async () => {
  expect(statuses(await raw('GET /api/v1/community HTTP/1.1\r\nConnection: close\r\n\r\n'))).toEqual([400]);
  expect(await raw('GET /api/v1/community HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.\d 200/);
});

test.each([
  ['http://localhost/api/v1/community', 200],
  ['HTTPS://elsewhere:81/api/v1/community?', 200],
  ['http://localhost', 200],
  ['http://localhost?at=/api/v1/community', 400],
  ['ftp://localhost/api/v1/community', 400],
  ['x://http://localhost/api/v1/community', 400],
])('the target %s is answered %i', async (target, status) => {
  expect(statuses(await raw(`GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`))).toEqual([status]);
});

test('HTTP/2 is not taken up in the clear, where it would be a way past a proxy', async () => {
  const upgrade = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n';
  expect(statuses(await raw(`GET /api/v1/community HTTP/1.1\r\nHost: localhost\r\n${upgrade}\r\n`))).toEqual([200]);
  expect(statuses(await raw('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0'))).toEqual([400]);
});

test('HEAD is answered without a body even where it is refused', async () => {
  const text = await raw(`HEAD /api/v1/community HTTP/1.1\r\nHost: localhost\r\nX-Filler: ${'y'.repeat(20_000)}\r\n\r\n`);
  expect(statuses(text)).toEqual([431]);
  expect(text.endsWith('\r\n\r\n')).toBe(true);
  await scene.server.line((line) => line.problem === 'headers_too_large' && line.method === 'HEAD');
});

test('requests one behind the other on one connection are answered in order', async () => {
  const one = 'GET /api/v1/community HTTP/1.1\r\nHost: localhost\r\n\r\n';
  const connection = await RawConnection.open(scene.server);
  connection.say(one + 'GET /api/v1/nothing HTTP/1.1\r\nHost: localhost\r\n\r\n' + one);
  await connection.until((text) => statuses(text).length === 3);
  connection.destroy();
  expect(statuses(connection.text)).toEqual([200, 404, 200]);
});

test('a body in chunks is taken', async () => {
  const body = JSON.stringify({ title: 'In pieces' });
  const chunks = [...body].map((character) => `1\r\n${character}\r\n`).join('');
  const text = await raw(
    `POST /api/v1/boards/${talk.slug}/posts HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${anna.token}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`,
  );
  expect(statuses(text)).toEqual([201]);
});

test('a chunked body without end is cut off at the limit', async () => {
  const connection = await RawConnection.open(scene.server);
  connection.say(
    `POST /api/v1/boards/${talk.slug}/posts HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`,
  );
  const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
  let taken = 0;
  while (!connection.closed && taken < 1000) {
    connection.say(chunk);
    taken++;
    while (!connection.closed && connection.socket.writableLength > 0) await sleep(1);
  }
  // What lies in the buffers of both sides is a few megabytes at most.
  expect(taken).toBeLessThan(400);
  expect(statuses(connection.text).every((status) => status === 413)).toBe(true);
  connection.destroy();
}, 20_000);

test('a client that waits for “100 Continue” is told to go on', async () => {
  const body = '{"title":"Patient"}';
  const connection = await RawConnection.open(scene.server);
  connection.say(
    `POST /api/v1/boards/${talk.slug}/posts HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${anna.token}\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n`,
  );
  await connection.until((text) => text.includes('100'));
  connection.say(body);
  await connection.until((text) => statuses(text).includes(201));
  connection.destroy();
});

test('blanks behind a value are no part of it', async () => {
  const head = `GET /api/v1/account HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: \t Bearer ${anna.token} \t\r\n\r\n`;
  expect(statuses(await raw(head))).toEqual([200]);
});

test('an id with capitals is the same id, or is not found', async () => {
  const made = await post(anna, talk);
  const answer = await anna.ask('GET', `/api/v1/posts/${made.id.toUpperCase()}`);
  if (answer.status === 200) expect(answer.json<{ id: string }>().id).toBe(made.id);
  else expectProblem(answer, 404, 'not_found');
});

test('a body where none belongs is refused', async () => {
  expectProblem(await anna.ask('GET', `/api/v1/boards/${talk.slug}`, { body: '{"x":1}' }), 400, 'malformed');
});

test('what is refused before it is a request of ours is a problem as well, kept by nobody', async () => {
  const text = await raw(
    'POST /api/v1/accounts HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100000000\r\n\r\n',
  );
  expect(statuses(text)).toEqual([413]);
  for (const header of ['content-type: application/problem+json', 'cache-control: no-store', 'x-content-type-options: nosniff', 'x-request-id: '])
    expect(text.toLowerCase()).toContain(header);
  expect(text).toContain('"code":"payload_too_large"');
});

test('a stranger may be kept from reading: a community that reads in private says so', async () => {
  const community = await stranger(scene.server).api.readCommunity();
  expect(community.data).toMatchObject({ public_reading: true, modules: ['identity', 'forum'] });
});
