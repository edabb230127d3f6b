// A database that another process holds: whoever waits for it is told in time, and nothing of the request is done.
import { expect, test } from 'vitest';
import type { Answer } from '../../harness/exchange.ts';
import { holdDatabase } from '../../harness/lock.ts';
import { board, freshKey, member } from '../../harness/people.ts';
import { expectProblem } from '../../harness/problems.ts';
import { Place, Server } from '../../harness/server.ts';

test('a write that does not get its turn is refused with 503, is not done, and succeeds once there is one', async () => {
  const place = new Place();
  const server = await Server.start({ place });
  const admin = await member(server);
  const talk = await board(admin);
  const key = freshKey();
  const write = (): Promise<Answer> =>
    admin.ask('POST', `/api/v1/boards/${talk.slug}/posts`, { body: { title: 'Patience' }, headers: { 'Idempotency-Key': key } });
  const letGo = await holdDatabase(place, 'forum', 'item');
  const refused = await write();
  expectProblem(refused, 503, 'timed_out');
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  await letGo();
  expect((await admin.api.listPosts({ board: talk.slug })).data.items).toEqual([]);
  expect((await write()).status).toBe(201);
  expect((await admin.api.listPosts({ board: talk.slug })).data.items).toHaveLength(1);
  await server.stop();
  place.remove();
}, 60_000);
