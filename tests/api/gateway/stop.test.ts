// The graceful stop: what was taken is finished, what was answered is there, and it is over within ten seconds.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { holdDatabase } from '../../harness/lock.ts';
import { board, comment, member, members, post, stranger, unique } from '../../harness/people.ts';
import { RawConnection } from '../../harness/raw.ts';
import { Place, Server } from '../../harness/server.ts';

const LONGEST_MS = 10_000;

async function timedStop(server: Server): Promise<number> {
  const begun = Date.now();
  await server.stopBusy();
  return Date.now() - begun;
}

test('an idle server stops at once', async () => {
  expect(await timedStop(await Server.start())).toBeLessThan(2000);
});

test('open connections and live channels do not hold it up', async () => {
  const server = await Server.start();
  const admin = await member(server);
  const talk = await board(admin);
  const idle = await Promise.all(Array.from({ length: 20 }, () => RawConnection.open(server)));
  const used = await Promise.all(Array.from({ length: 20 }, () => RawConnection.open(server)));
  for (const connection of used) connection.say('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
  const live = await Promise.all(Array.from({ length: 8 }, () => admin.live([`board/${talk.id}`])));
  await sleep(100);
  expect(await timedStop(server)).toBeLessThan(LONGEST_MS);
  expect(live.every((each) => each.ended)).toBe(true);
  for (const connection of [...idle, ...used]) connection.destroy();
});

test('requests that were being worked on when the stop came are answered, also when idle connections are closed before', async () => {
  const place = new Place();
  const server = await Server.start({ place });
  const letGo = await holdDatabase(place, 'identity', 'account');
  const waiting = Array.from({ length: 6 }, () =>
    stranger(server).ask('POST', '/api/v1/accounts', { body: { name: unique('late'), password: 'a long enough password' } }),
  );
  await server.metricReaches('requests_in_flight', 6 + 1); // and that one itself
  const stopped = timedStop(server);
  await sleep(2500); // idle connections are kept for half as long
  await letGo();
  expect((await Promise.all(waiting)).map((answer) => answer.status)).toEqual(Array<number>(6).fill(201));
  expect(await stopped).toBeLessThan(LONGEST_MS);
  place.remove();
}, 30_000);

test('under load each write that was done was also answered, and each that was answered is there', async () => {
  const place = new Place();
  const server = await Server.start({ place });
  const admin = await member(server);
  const thread = await post(admin, await board(admin));
  const writers = await members(server, 12);
  const answered = new Set<string>();
  let stopping = false;
  const load = writers.map(async (writer) => {
    for (let index = 0; ; index++) {
      const made = await comment(writer, thread, `${index}`).catch(() => undefined);
      if (made) answered.add(made.id);
      else if (stopping) return;
      else throw new Error('A request failed before the stop.');
    }
  });
  await sleep(500);
  stopping = true;
  const [took] = await Promise.all([timedStop(server), ...load]);
  expect(took).toBeLessThan(LONGEST_MS);

  const after = await Server.start({ place });
  const again = admin.at(after);
  const there: string[] = [];
  let cursor: string | undefined;
  do {
    const { data } = await again.api.listComments({ post: thread.id, limit: 100, depth: 0, cursor });
    there.push(...data.items.map((item) => item.id));
    cursor = data.next;
  } while (cursor);
  expect(there.sort()).toEqual([...answered].sort());
  expect((await again.api.readPost({ post: thread.id })).data.comment_count).toBe(answered.size);
  await after.stop();
  place.remove();
}, 60_000);

test('a second SIGTERM during the stop changes nothing, and SIGINT stops as well', async () => {
  const server = await Server.start();
  server.signal('SIGTERM');
  server.signal('SIGTERM');
  await server.stop();
  const other = await Server.start();
  other.signal('SIGINT');
  await other.stop();
});

test('signals that mean nothing to it do not end it', async () => {
  const server = await Server.start();
  server.signal('SIGPIPE');
  await sleep(200);
  expect((await stranger(server).ask('GET', '/healthz')).status).toBe(200);
  await server.stop();
});
