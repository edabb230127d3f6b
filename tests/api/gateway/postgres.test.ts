// What only PostgreSQL can do to us: be restarted, crash, be away; and what its roles keep apart.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cluster } from '../../harness/cluster.ts';
import { kind, psql } from '../../harness/database.ts';
import { type Answer } from '../../harness/exchange.ts';
import { board, comment, freshKey, member, members, type Person, post } from '../../harness/people.ts';
import { Place, runProgram, Server } from '../../harness/server.ts';

describe.skipIf(kind !== 'postgres')('on PostgreSQL', () => {
  let cluster: Cluster;
  let place: Place;
  let server: Server;
  let admin: Person;

  beforeAll(async () => {
    cluster = Cluster.start(true);
    place = new Place({}, cluster.url);
    server = await Server.start({ place });
    admin = await member(server);
  });

  afterAll(async () => {
    await server?.stop();
    place?.remove();
    cluster?.stop();
  });

  /** Waits until a write succeeds again; answers how long that took, in ms. */
  async function recovers(most = 15_000): Promise<number> {
    const begun = Date.now();
    const where = `board-${freshKey().slice(0, 8)}`;
    for (;;) {
      const answer = await admin.ask('POST', '/api/v1/boards', {
        body: { slug: where, title: 'Back', kind: 'discussion' },
        headers: { 'Idempotency-Key': freshKey() },
      });
      if (answer.status === 201 || answer.status === 409) return Date.now() - begun;
      expect([500, 503]).toContain(answer.status);
      if (Date.now() - begun > most) throw new Error(`No write succeeded for ${most} ms: ${answer.text}`);
      await sleep(50);
    }
  }

  /** Comments from many at once, each repeated under its key until it is answered well, while `disturb` happens. */
  async function loadDuring(disturb: () => Promise<void> | void): Promise<void> {
    const thread = await post(admin, await board(admin));
    const writers = await members(server, 8);
    let stop = false;
    const bodies: string[] = [];
    const load = writers.map(async (writer, number) => {
      for (let index = 0; !stop; index++) {
        const body = `${number}.${index}`;
        await insist(() =>
          writer.ask('POST', `/api/v1/posts/${thread.id}/comments`, {
            body: { body },
            headers: { 'Idempotency-Key': `load-${number}-${index}-${thread.id}` },
          }),
        );
        bodies.push(body);
      }
    });
    await sleep(300);
    await disturb();
    await sleep(300);
    stop = true;
    await Promise.all(load);
    const there = await commentsOf(admin, thread.id);
    expect(there.sort()).toEqual(bodies.sort());
    expect((await admin.api.readPost({ post: thread.id })).data.comment_count).toBe(bodies.length);
  }

  /** Repeats a request until it succeeds; refusals on the way may only be that the database is away. */
  async function insist(ask: () => Promise<Answer>): Promise<void> {
    for (const until = Date.now() + 20_000; Date.now() < until; await sleep(20)) {
      const answer = await ask();
      if (answer.status === 201) return;
      expect(answer.status, answer.text).toBe(503);
    }
    throw new Error('A request did not succeed within 20 s.');
  }

  async function commentsOf(reader: Person, on: string): Promise<string[]> {
    const bodies: string[] = [];
    let cursor: string | undefined;
    do {
      const { data } = await reader.api.listComments({ post: on, limit: 100, depth: 0, cursor });
      bodies.push(...data.items.map((each) => each.body));
      cursor = data.next;
    } while (cursor);
    return bodies;
  }

  test(
    'a restart in the middle of load is survived: what was answered is there, once, and the rest succeeds when repeated',
    () => loadDuring(() => cluster.restart()),
    60_000,
  );

  test('a crash of the database in the middle of load is survived', () => loadDuring(() => cluster.killProcess()), 60_000);

  test('after either, reading and writing go on within moments', async () => {
    await cluster.restart();
    expect(await recovers()).toBeLessThan(10_000);
    expect((await admin.api.readAccount()).status).toBe(200);
    expect((await admin.api.listBoards()).status).toBe(200);
  }, 30_000);

  test('what happens after a restart is seen live', async () => {
    const thread = await post(admin, await board(admin));
    const live = await admin.live([`post/${thread.id}`]);
    await cluster.restart();
    await recovers();
    await comment(admin, thread, 'Still here.');
    expect((await live.next('comment.created', 10_000)).data.body).toBe('Still here.');
    live.close();
  }, 40_000);

  test('the role of one module can read nothing of another', async () => {
    for (const [module, other, table] of [
      ['forum', 'identity', 'account'],
      ['forum', 'identity', 'session'],
      ['identity', 'forum', 'item'],
      ['identity', 'forum', 'log'],
    ] as const) {
      expect(
        () => psql(`SELECT count(*) FROM ${other}.${table};`, place.database!.url(module)),
        `${module} reads ${other}.${table}`,
      ).toThrow(/permission denied/);
    }
    expect(psql('SELECT count(*) >= 1 FROM identity.account;', place.database!.url('identity'))).toBe('t');
  });

  test('a role that may make no schema can still serve one that is there', async () => {
    expect(() => psql('CREATE SCHEMA elsewhere;', place.database!.url('forum'))).toThrow(/permission denied/);
  });
});

test.skipIf(kind !== 'postgres')(
  'a database that does not answer stops the start, and the message says which and what to do, without its password',
  async () => {
    const place = new Place();
    const broken = new URL(place.database!.url('forum'));
    broken.port = '1';
    const outcome = await runProgram(['--data', place.data, 'serve', '--set', `database.forum=${broken.href}`]);
    expect(outcome.code).not.toBe(0);
    expect(outcome.stderr).toMatch(/forum/);
    expect(outcome.stderr).not.toContain(broken.password);
    place.remove();
  },
);
