// TLS and HTTP/2: agreed on, answered as over HTTP/1.1, and no weapon.
import { readFileSync } from 'node:fs';
import { connect, constants, type ClientHttp2Session } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { check } from '../../harness/document.ts';
import { type Answer, collect, makeAnswer } from '../../harness/exchange.ts';
import { board, comment, member, type Person, post, stranger } from '../../harness/people.ts';
import { freePort, Place, runProgram, Server } from '../../harness/server.ts';
import { type Certificate, headerBomb, Http2Connection, makeCertificate, pings, requests, resetFlood } from '../../harness/tls.ts';

const certificate: Certificate = makeCertificate();
const ca = readFileSync(certificate.certificate);
let port: number;
let server: Server;
let anna: Person;

beforeAll(async () => {
  port = await freePort();
  const set = {
    'gateway.listen_tls': `127.0.0.1:${port}`,
    'gateway.tls_certificate': certificate.certificate,
    'gateway.tls_key': certificate.key,
  };
  server = await Server.start({ set });
  anna = await member(server);
});

afterAll(async () => {
  await server?.stop();
});

function session(): Promise<ClientHttp2Session> {
  return new Promise((resolve, reject) => {
    const made = connect(`https://127.0.0.1:${port}`, { ca });
    made.on('error', reject).once('connect', () => resolve(made));
  });
}

/** One request on an HTTP/2 session, checked as any other. */
function ask(on: ClientHttp2Session, method: string, path: string, options: { token?: string; body?: unknown } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const body = options.body === undefined ? undefined : JSON.stringify(options.body);
    const headers: Record<string, string> = { ':method': method, ':path': path };
    if (options.token) headers.authorization = `Bearer ${options.token}`;
    if (body) headers['content-type'] = 'application/json';
    const stream = on.request(headers, { endStream: !body });
    let got: Record<string, string> = {};
    const parts: Buffer[] = [];
    stream.on('response', (each) => (got = each as Record<string, string>));
    stream.on('data', (part: Buffer) => parts.push(part));
    stream.on('error', reject);
    stream.on('end', () => resolve(makeAnswer(method, path, Number(got[':status']), got, Buffer.concat(parts))));
    stream.end(body);
  });
}

test('HTTP/2 is agreed on, and answers as the document says', async () => {
  const on = await session();
  expect(on.alpnProtocol).toBe('h2');
  for (const [method, path, status] of [
    ['GET', '/api/v1/boards', 200],
    ['GET', '/api/v1/account', 200],
    ['GET', '/api/v1/boards/none', 404],
    ['DELETE', '/api/v1/boards', 405],
  ] as const) {
    const answer = await ask(on, method, path, { token: anna.token });
    check(answer);
    expect(answer.status).toBe(status);
  }
  const refused = await ask(on, 'POST', '/api/v1/boards', { token: anna.token, body: { slug: '' } });
  check(refused);
  expect([403, 422]).toContain(refused.status);
  on.close();
});

test('a hundred requests at once on one connection are all answered', async () => {
  const on = await session();
  const answers = await Promise.all(Array.from({ length: 100 }, () => ask(on, 'GET', '/api/v1/account', { token: anna.token })));
  expect(answers.every((answer) => answer.status === 200)).toBe(true);
  on.close();
});

test('headers that are small on the wire and large when unpacked are refused', async () => {
  const on = await session();
  const status = (count: number): Promise<number> =>
    new Promise((resolve, reject) => {
      const stream = on.request({ ':path': '/api/v1/community', 'x-filler': Array<string>(count).fill('y'.repeat(1000)) });
      stream.on('response', (headers) => resolve(Number(headers[':status']))).on('error', reject);
      stream.resume();
    });
  expect(await status(10)).toBe(200);
  expect(await status(20)).toBe(431);
  on.close();
});

test('HTTP/1.1 over TLS is answered too, and told to stay with TLS', async () => {
  const answer = await new Promise<Answer>((resolve, reject) => {
    const request = httpsRequest(
      { host: '127.0.0.1', servername: 'localhost', port, path: '/api/v1/community', ca, agent: false },
      (response) => {
        collect('GET', '/api/v1/community', response).then(resolve, reject);
      },
    );
    request.on('error', reject).end();
  });
  check(answer);
  expect(answer.status).toBe(200);
  expect(String(answer.headers['strict-transport-security'])).toMatch(/max-age=\d+/);
});

test.each([
  ['TLSv1', 'ALL:@SECLEVEL=0'],
  ['TLSv1.1', 'ALL:@SECLEVEL=0'],
] as const)('%s is refused', async (version, ciphers) => {
  const greeting = new Promise((resolve, reject) => {
    const socket = connectTls({ host: '127.0.0.1', port, minVersion: version, maxVersion: version, ciphers, rejectUnauthorized: false });
    socket.once('secureConnect', () => resolve(socket.getProtocol())).once('error', reject);
  });
  await expect(greeting).rejects.toThrow();
});

test('a flood of requests that are taken back at once is cut off, and others are served meanwhile', async () => {
  const others = await session();
  const attacker = await Http2Connection.open(port);
  attacker.socket.resume();
  const served: number[] = [];
  for (let round = 0; round < 200 && !attacker.closed; round++) {
    attacker.socket.write(resetFlood('/api/v1/boards', round * 100, 100));
    const begun = performance.now();
    await ask(others, 'GET', '/api/v1/account', { token: anna.token });
    served.push(performance.now() - begun);
  }
  await expect.poll(() => attacker.closed, { timeout: 10_000 }).toBe(true);
  expect(Math.max(...served)).toBeLessThan(5000);
  expect((await ask(others, 'GET', '/api/v1/boards')).status).toBe(200);
  attacker.reset();
  others.close();
}, 60_000);

test('answers that nobody takes do not fill the memory: who has kept the server waiting longest is cut off', async () => {
  const thread = await post(anna, await board(anna));
  await Promise.all(Array.from({ length: 100 }, (_, index) => comment(anna, thread, `${index} `.repeat(4000).slice(0, 10_000))));
  const attacker = await Http2Connection.open(port, 0);
  attacker.socket.resume();
  attacker.socket.write(requests(`/api/v1/posts/${thread.id}/comments?limit=100`, 0, 100)); // a million bytes each
  await server.line((line) => line.event === 'connection_cut' && /others need the room/.test(String(line.reason)), 20_000);
  for (const until = Date.now() + 5000; !attacker.closed && Date.now() < until;) await sleep(10);
  expect(attacker.closed).toBe(true);
  attacker.reset();
  expect((await stranger(server).api.readPost({ post: thread.id })).status).toBe(200);
}, 60_000);

test('one whose headers are a thousand times as large as what it sends is cut off', async () => {
  const attacker = await Http2Connection.open(port);
  attacker.socket.resume();
  for (let stream = 1; stream < 100 && !attacker.closed; stream += 2) {
    attacker.socket.write(headerBomb('/api/v1/boards', stream, 10_000));
    await sleep(10);
  }
  await expect.poll(() => attacker.closed, { timeout: 10_000 }).toBe(true);
  await server.line((line) => line.event === 'connection_cut' && /too many headers/.test(String(line.reason)));
  attacker.reset();
});

test('a client that leaves a hundred requests and their answers behind harms nobody', async () => {
  const attacker = await Http2Connection.open(port, 0);
  attacker.socket.write(requests('/api/v1/boards', 0, 100));
  // The server answers pings until nobody takes them, and is then in the middle of writing.
  for (let silent = 0; silent < 20; silent = attacker.socket.writableLength > 1_000_000 ? silent + 1 : 0) {
    if (attacker.socket.writableLength <= 1_000_000) attacker.socket.write(pings(5000));
    await sleep(10);
  }
  attacker.reset();
  const others = await session();
  expect((await ask(others, 'GET', '/api/v1/boards')).status).toBe(200);
  others.close();
}, 60_000);

test('a client that takes a few requests back is not cut off', async () => {
  const on = await session();
  for (let index = 0; index < 20; index++) {
    const stream = on.request({ ':path': '/api/v1/boards' });
    stream.on('error', () => undefined);
    stream.close(constants.NGHTTP2_CANCEL);
  }
  expect((await ask(on, 'GET', '/api/v1/boards')).status).toBe(200);
  on.close();
});

describe.concurrent('whoever keeps the server waiting', () => {
  test('is closed when it says nothing after connecting', async () => {
    const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false });
    socket.on('error', () => undefined);
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    const begun = Date.now();
    socket.resume();
    await new Promise((resolve) => socket.once('close', resolve));
    expect(Date.now() - begun).toBeLessThan(20_000);
  }, 30_000);

  test('is closed when a body comes a byte at a time, however busy its connection is', async () => {
    const on = await session();
    const stream = on.request({ ':method': 'POST', ':path': '/api/v1/sessions', 'content-type': 'application/json' });
    stream.on('error', () => undefined);
    on.on('error', () => undefined);
    const begun = Date.now();
    while (!stream.destroyed && Date.now() - begun < 25_000) {
      stream.write(' ');
      await sleep(250);
    }
    expect(stream.destroyed).toBe(true);
    expect(Date.now() - begun).toBeLessThan(20_000);
    on.destroy();
  }, 40_000);
});

test('a certificate that cannot be read stops the start, and the message names it', async () => {
  const place = new Place({
    'gateway.listen_tls': `127.0.0.1:${await freePort()}`,
    'gateway.tls_certificate': '/nowhere/certificate.pem',
    'gateway.tls_key': certificate.key,
  });
  const outcome = await runProgram(['--data', place.data, 'serve']);
  expect(outcome.code).not.toBe(0);
  expect(outcome.stderr).toContain('/nowhere/certificate.pem');
  place.remove();
});

test('a key that does not belong to the certificate stops the start', async () => {
  const other = makeCertificate();
  const place = new Place({
    'gateway.listen_tls': `127.0.0.1:${await freePort()}`,
    'gateway.tls_certificate': certificate.certificate,
    'gateway.tls_key': other.key,
  });
  const outcome = await runProgram(['--data', place.data, 'serve']);
  expect(outcome.code).not.toBe(0);
  expect(outcome.stderr).toMatch(/key/);
  place.remove();
});

test('the plain port goes on beside it', async () => {
  expect((await stranger(server).api.readCommunity()).status).toBe(200);
});
