// Reading asks the database the same number of statements, whatever there is: no query in a loop.
import { expect, test } from 'vitest';
import { exchange } from '../../harness/exchange.ts';
import { board, comment, member, type Person, post } from '../../harness/people.ts';
import { world } from '../../harness/world.ts';

const scene = world();
const MOST = 3;

async function statementsSoFar(): Promise<number> {
  const { text } = await exchange(scene.server, 'GET', '/metrics', {});
  const counts = [...text.matchAll(/^folkmoot_database_total\{module="\w+",what="reads"\} (\d+)$/gm)];
  expect(counts.length).toBeGreaterThan(1);
  return counts.reduce((sum, [, count]) => sum + Number(count), 0);
}

/** What a request costs. Readers of the logs look in between: of many tries the cheapest is the request's own. */
async function costOf(by: Person, path: string): Promise<number> {
  let least = Infinity;
  for (let round = 0; round < 12; round++) {
    const before = await statementsSoFar();
    expect((await by.ask('GET', path)).status).toBe(200);
    least = Math.min(least, (await statementsSoFar()) - before);
  }
  return least;
}

async function costs(by: Person, paths: string[]): Promise<Record<string, number>> {
  const result: Record<string, number> = {};
  for (const path of paths) result[path] = await costOf(by, path);
  return result;
}

test('a page costs as many statements among many records as among few', async () => {
  const anna = await member(scene.server);
  const talk = await board(scene.administrator);
  const claims = await board(scene.administrator, 'statements');
  const thread = await post(anna, talk);
  const top = await comment(anna, thread);
  await comment(anna, thread, 'A reply.', top.id);
  await post(anna, claims);
  const paths = [
    '/api/v1/boards?limit=100',
    `/api/v1/boards/${talk.slug}`,
    `/api/v1/boards/${talk.slug}/posts?limit=100`,
    `/api/v1/boards/${talk.slug}/posts?limit=100&sort=agreed`,
    `/api/v1/boards/${claims.slug}/unvoted?limit=100`,
    `/api/v1/posts/${thread.id}`,
    `/api/v1/posts/${thread.id}/comments?limit=100&depth=3`,
    `/api/v1/comments/${top.id}`,
    '/api/v1/sessions',
  ];
  const few = await costs(anna, paths);
  for (let number = 0; number < 30; number++) {
    await Promise.all([board(scene.administrator), post(anna, talk), post(anna, claims)]);
    const above = await comment(anna, thread);
    const below = await comment(anna, thread, 'A reply.', above.id);
    await Promise.all([comment(anna, thread, 'One more.', above.id), comment(anna, thread, 'Deeper.', below.id)]);
  }
  for (let number = 0; number < 10; number++) await anna.elsewhere();
  expect(await costs(anna, paths)).toEqual(few);
  for (const [path, cost] of Object.entries(few)) {
    expect(cost, path).toBeGreaterThan(0);
    expect(cost, path).toBeLessThanOrEqual(MOST);
  }
}, 60_000);
