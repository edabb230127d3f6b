// Clients that are slow, silent, greedy or gone: cut off in time, while others are served.
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Post } from '../../generated/api.ts';
import { board, comment, freshAddress, member, type Person, post, stranger } from '../../harness/people.ts';
import { RawConnection, statuses } from '../../harness/raw.ts';
import { Server } from '../../harness/server.ts';
import { world } from '../../harness/world.ts';

const CUT_MS = 20_000; // at most this long is anybody waited for

const scene = world();
let anna: Person;
let long: Post;

beforeAll(async () => {
  anna = await member(scene.server);
  long = await post(anna, await board(scene.administrator));
  for (let index = 0; index < 100; index++) await comment(anna, long, `${index} `.repeat(4000).slice(0, 10_000));
});

/** Says a part each second until the server closes; answers what came, and how long it took. */
async function dribble(begin: string, part: string): Promise<{ text: string; took: number }> {
  const connection = await RawConnection.open(scene.server);
  const begun = Date.now();
  connection.say(begin);
  while (!connection.closed && Date.now() - begun < CUT_MS + 5000) {
    await sleep(500);
    connection.say(part);
  }
  const took = Date.now() - begun;
  expect(connection.closed).toBe(true);
  return { text: connection.text, took };
}

describe.concurrent('whoever keeps the server waiting', () => {
  test('is cut off when the headers come a few bytes at a time', async () => {
    const { text, took } = await dribble('GET /api/v1/boards HTTP/1.1\r\nHost: localhost\r\n', 'X-A: b\r\n');
    expect(took).toBeLessThan(CUT_MS);
    expect(statuses(text).every((status) => status >= 400)).toBe(true);
  }, 40_000);

  test('is cut off when the body comes a byte at a time', async () => {
    const head = 'POST /api/v1/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 4000\r\n\r\n{';
    const { text, took } = await dribble(head, ' ');
    expect(took).toBeLessThan(CUT_MS);
    expect(statuses(text).every((status) => status >= 400)).toBe(true);
  }, 40_000);

  test('is cut off when the chunks never end', async () => {
    const head =
      'POST /api/v1/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n';
    const { took } = await dribble(head, '1\r\n \r\n');
    expect(took).toBeLessThan(CUT_MS);
  }, 40_000);

  test('is closed when nothing is said at all', async () => {
    const connection = await RawConnection.open(scene.server);
    expect(await connection.untilClosed(CUT_MS)).toBeLessThan(CUT_MS);
  }, 40_000);

  test('is closed when nothing more is said after an answer', async () => {
    const connection = await RawConnection.open(scene.server);
    connection.say('GET /api/v1/community HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await connection.until((text) => statuses(text).length === 1);
    expect(await connection.untilClosed(CUT_MS)).toBeLessThan(CUT_MS);
  }, 40_000);

  test('is cut off when it asks for much and reads nothing', async () => {
    const connection = await RawConnection.open(scene.server, freshAddress());
    connection.socket.pause();
    const one = `GET /api/v1/posts/${long.id}/comments?limit=100 HTTP/1.1\r\nHost: localhost\r\n\r\n`;
    connection.say(one.repeat(40));
    await scene.server.line((line) => line.event === 'connection_cut' && /answer/.test(String(line.reason)), 2 * CUT_MS);
    connection.socket.resume();
    await connection.untilClosed(5000);
    expect(statuses(connection.text).length).toBeLessThan(40);
  }, 60_000);

  test('does not keep others waiting', async () => {
    const silent = await Promise.all(Array.from({ length: 100 }, () => RawConnection.open(scene.server, '127.0.0.77')));
    for (const connection of silent) connection.say('GET /api/v1/boards HTTP/1.1\r\n');
    const times: number[] = [];
    for (let round = 0; round < 50; round++) {
      const begun = performance.now();
      await anna.api.readPost({ post: long.id });
      times.push(performance.now() - begun);
    }
    expect(Math.max(...times)).toBeLessThan(5000); // the silent are waited for twice as long
    for (const connection of silent) connection.destroy();
  }, 40_000);
});

test('a slow reader who does read gets everything', async () => {
  const connection = await RawConnection.open(scene.server, freshAddress());
  connection.say(`GET /api/v1/posts/${long.id}/comments?limit=100 HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  for (let round = 0; round < 20; round++) {
    connection.socket.pause();
    await sleep(50);
    connection.socket.resume();
    await sleep(10);
  }
  const length = Number(/content-length: (\d+)/i.exec(connection.text)![1]);
  expect(length).toBeGreaterThan(1_000_000);
  await connection.until((text) => text.length >= text.indexOf('\r\n\r\n') + 4 + length);
  connection.destroy();
});

test('a client that leaves before its answer harms nobody, a hundred times over', async () => {
  for (let round = 0; round < 100; round++) {
    const connection = await RawConnection.open(scene.server);
    connection.say(`GET /api/v1/posts/${long.id}/comments?limit=100 HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    if (round % 2) await sleep(1);
    connection.destroy();
  }
  expect((await anna.api.readPost({ post: long.id })).status).toBe(200);
});

test('what a client that left had asked for is not done once it has left', async () => {
  const server = await Server.start({ set: { 'identity.password_memory': '256M', 'identity.password_passes': '4' } });
  const signUp = async (name: string): Promise<{ status: number; took: number }> => {
    const begun = performance.now();
    const body = JSON.stringify({ name, password: 'a long enough password' });
    const { status } = await stranger(server).ask('POST', '/api/v1/accounts', { body });
    return { status, took: performance.now() - begun };
  };
  const alone = await signUp('alone');
  expect(alone.status).toBe(201);
  const gone: RawConnection[] = [];
  for (let index = 0; index < 30; index++) {
    const connection = await RawConnection.open(server, freshAddress());
    const body = JSON.stringify({ name: `gone-${index}`, password: 'a long enough password' });
    connection.say(
      `POST /api/v1/accounts HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    gone.push(connection);
  }
  await server.metricReaches('requests_in_flight', gone.length);
  for (const connection of gone) connection.destroy();
  await sleep(alone.took);
  // All thirty would keep the two workers busy for fifteen times as long as one.
  const patient = await signUp('patient');
  expect(patient.status).toBe(201);
  expect(patient.took).toBeLessThan(8 * alone.took);
  // The one or two that were being worked on may have been finished.
  const names = await Promise.all([25, 26, 27, 28, 29].map((index) => signUp(`gone-${index}`)));
  expect(names.filter((name) => name.status === 201).length).toBeGreaterThanOrEqual(3);
  await server.stop();
}, 120_000);

test('one address has so many connections; others are served meanwhile, and so is it once it closes some', async () => {
  const server = await Server.start({ set: { 'gateway.connections_per_address': '8' } });
  const address = freshAddress();
  const open = (count: number): Promise<RawConnection[]> => Promise.all(Array.from({ length: count }, () => RawConnection.open(server, address)));
  const served = (connections: RawConnection[]): number => connections.filter((one) => statuses(one.text).includes(200)).length;
  const held = await open(20);
  for (const connection of held) connection.say('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await expect.poll(() => held.filter((one) => one.closed).length, { timeout: 10_000 }).toBe(12);
  await expect.poll(() => served(held)).toBe(8);
  expect((await stranger(server).ask('GET', '/healthz')).status).toBe(200);
  for (const connection of held) connection.destroy();
  await expect
    .poll(
      async () => {
        const [again] = await open(1);
        again!.say('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
        await sleep(20);
        return served([again!]);
      },
      { timeout: 10_000 },
    )
    .toBe(1);
  await server.stop();
});

test('connections beyond the limit are turned away, and taken again once there is room', async () => {
  const server = await Server.start({ set: { 'gateway.connections_max': '16' } });
  const held: RawConnection[] = [];
  for (let index = 0; index < 40; index++) held.push(await RawConnection.open(server));
  for (const connection of held) connection.say('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
  for (const connection of held) await connection.until((text) => statuses(text).length > 0);
  const served = held.filter((connection) => statuses(connection.text).includes(200));
  const refused = held.filter((connection) => connection.closed || statuses(connection.text).includes(503));
  expect(served.length).toBeLessThanOrEqual(16);
  expect(served.length + refused.length).toBe(40);
  for (const connection of held) connection.destroy();
  let status = 0;
  for (const until = Date.now() + 10_000; status !== 200 && Date.now() < until; await sleep(10)) {
    const answer = await stranger(server)
      .ask('GET', '/healthz')
      .catch(() => undefined);
    status = answer?.status ?? 0;
  }
  expect(status).toBe(200);
  await server.stop();
});
