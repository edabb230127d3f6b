// A full disk: writes are refused with 507 and nothing of them stays, reading goes on, and once there is room writing does too.
import { expect, test } from 'vitest';
import type { Board } from '../../generated/api.ts';
import type { Answer } from '../../harness/exchange.ts';
import { kind } from '../../harness/database.ts';
import { board, freshKey, member, type Person, post } from '../../harness/people.ts';
import { expectProblem } from '../../harness/problems.ts';
import { Place, Server } from '../../harness/server.ts';
import { canMount, makeRoom, onSmallDisk } from '../../harness/tmpfs.ts';

const write = (by: Person, on: Board, key = freshKey()): Promise<Answer> =>
  by.ask('POST', `/api/v1/boards/${on.slug}/posts`, {
    body: { title: 'Large', body: 'x'.repeat(40_000) },
    headers: { 'Idempotency-Key': key },
  });

/** Writes until there is no room; answers how many posts were taken. */
async function fill(by: Person, on: Board): Promise<{ taken: number; refusal: Answer }> {
  for (let taken = 0; taken < 2000; taken++) {
    const answer = await write(by, on);
    if (answer.status !== 201) return { taken, refusal: answer };
  }
  throw new Error('The disk does not get full.');
}

const mounts = kind === 'sqlite' && canMount();
if (kind === 'sqlite' && !mounts) console.log('SKIPPED: This machine lets us mount no file system: the test of a full disk.');

test.skipIf(!mounts)(
  'with a full disk writes are refused with 507, reads go on, and with room again writes go on',
  async () => {
    const place = new Place();
    const server = await Server.start({ place, wrap: onSmallDisk(place.data, '16m') });
    const admin = await member(server);
    const talk = await board(admin);
    const kept = await post(admin, talk);
    const { taken, refusal } = await fill(admin, talk);
    expect(taken).toBeGreaterThan(10);
    expect(expectProblem(refusal, 507, 'storage_full').detail).toBeTruthy();

    const refused = await Promise.all(Array.from({ length: 20 }, () => write(admin, talk)));
    for (const answer of refused.filter((each) => each.status !== 201)) expectProblem(answer, 507, 'storage_full');
    const more = refused.filter((each) => each.status === 201).length;
    expect((await admin.api.readPost({ post: kept.id })).data.title).toBe(kept.title);
    expect((await admin.ask('GET', '/healthz')).status).toBe(200);

    makeRoom(server.pid, place.data);
    const key = freshKey();
    const again = await write(admin, talk, key);
    expect(again.status).toBe(201);
    const ids: string[] = [];
    let cursor: string | undefined;
    do {
      const { data } = await admin.api.listPosts({ board: talk.slug, limit: 100, cursor });
      ids.push(...data.items.map((each) => each.id));
      cursor = data.next;
    } while (cursor);
    expect(ids).toHaveLength(taken + more + 2);
    await server.stop();
    place.remove();
  },
  120_000,
);

test.skipIf(kind !== 'postgres')(
  'when PostgreSQL says that its disk is full, writes are refused with 507 and nothing of them stays',
  async () => {
    const place = new Place();
    const server = await Server.start({ place });
    const admin = await member(server);
    const talk = await board(admin);
    place.database!.asOwner(`
    CREATE FUNCTION forum.full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$;
    CREATE TRIGGER full_disk BEFORE INSERT ON forum.log FOR EACH ROW EXECUTE FUNCTION forum.full();`);
    expectProblem(await write(admin, talk), 507, 'storage_full');
    expect((await admin.api.listPosts({ board: talk.slug })).data.items).toEqual([]);
    place.database!.asOwner('DROP TRIGGER full_disk ON forum.log;');
    expect((await write(admin, talk)).status).toBe(201);
    await server.stop();
    place.remove();
  },
);
