// Idempotency keys: the same request under the same key is done once and answered alike, whatever happens in between.
import { beforeAll, expect, test } from 'vitest';
import type { Board, Post } from '../../generated/api.ts';
import type { Answer } from '../../harness/exchange.ts';
import { board, freshKey, member, type Person, post, stranger, unique } from '../../harness/people.ts';
import { expectProblem } from '../../harness/problems.ts';
import { Place, Server } from '../../harness/server.ts';
import { world } from '../../harness/world.ts';

const scene = world();
let anna: Person;
let ben: Person;
let talk: Board;

beforeAll(async () => {
  [anna, ben] = [await member(scene.server), await member(scene.server)];
  talk = await board(scene.administrator);
});

const create = (key: string, body: unknown, by = anna, slug = talk.slug): Promise<Answer> =>
  by.ask('POST', `/api/v1/boards/${slug}/posts`, { body, headers: { 'Idempotency-Key': key } });

/** How many posts of this title are there. */
const count = async (title: string): Promise<number> =>
  (await anna.api.listPosts({ board: talk.slug, limit: 100 })).data.items.filter((each) => each.title === title).length;

test('a repeated request is answered as the first, with the same headers that matter', async () => {
  const [key, title] = [freshKey(), unique('Title')];
  const first = await create(key, { title });
  for (let round = 0; round < 3; round++) {
    const again = await create(key, { title });
    expect([again.status, again.text, again.headers.location, again.headers.etag]).toEqual([
      first.status,
      first.text,
      first.headers.location,
      first.headers.etag,
    ]);
  }
  expect(await count(title)).toBe(1);
});

test('ten of the same at once under one key are done once', async () => {
  const [key, title] = [freshKey(), unique('Title')];
  const answers = await Promise.all(Array.from({ length: 10 }, () => create(key, { title })));
  expect(await count(title)).toBe(1);
  expect(answers.map((answer) => answer.status)).toEqual(Array<number>(10).fill(201));
  expect(new Set(answers.map((answer) => answer.text)).size).toBe(1);
});

test('another body under the same key is refused, and so is another path', async () => {
  const [key, title] = [freshKey(), unique('Title')];
  const other = await board(scene.administrator);
  await create(key, { title });
  expectProblem(await create(key, { title: `${title}!` }), 422, 'idempotency_conflict');
  expectProblem(await create(key, { title }, anna, other.slug), 422, 'idempotency_conflict');
  expect((await anna.api.listPosts({ board: other.slug })).data.items).toEqual([]);
});

test("a key belongs to the person who used it: another person's request with it is a request of their own", async () => {
  const [key, title] = [freshKey(), unique('Title')];
  const first = (await create(key, { title })).json<Post>();
  const answer = await create(key, { title }, ben);
  expect(answer.status).toBe(201);
  expect(answer.json<Post>().author!.id).toBe(ben.id);
  expect(answer.text).not.toContain(first.id);
});

test('a key does not let a stranger in', async () => {
  const [key, title] = [freshKey(), unique('Title')];
  await create(key, { title });
  expectProblem(await create(key, { title }, stranger(scene.server)), 401, 'unauthenticated');
});

test('a request that was refused can be made right under the same key', async () => {
  const [key, title] = [freshKey(), unique('Title')];
  expectProblem(await create(key, { title: '' }), 422, 'invalid');
  expect((await create(key, { title })).status).toBe(201);
});

test.each(['short', 'x'.repeat(15), 'x'.repeat(129), 'with blanks in between', 'täglich-einmal-bitte', 'tab\tin-the-middle-of'])(
  'the key “%s” is refused',
  async (key) => {
    const title = unique('Title');
    const answer = await create(Buffer.from(key).toString('latin1'), { title });
    expect([400, 422]).toContain(answer.status);
    expect(await count(title)).toBe(0);
  },
);

test('a key of 16 characters and one of 128 are taken', async () => {
  for (const length of [16, 128]) {
    const key = freshKey().replaceAll('-', '').repeat(4).slice(0, length);
    expect((await create(key, { title: unique('Title') })).status).toBe(201);
  }
});

test('two keys in one request are refused', async () => {
  const answer = await anna.ask('POST', `/api/v1/boards/${talk.slug}/posts`, {
    body: { title: 'Two' },
    headers: { 'Idempotency-Key': [freshKey(), freshKey()] },
  });
  expect([400, 422]).toContain(answer.status);
});

test('a key outlives the process: after a restart the repeated request gets the first answer', async () => {
  const place = new Place();
  const before = await Server.start({ place });
  const admin = await member(before);
  const where = await board(admin);
  const [key, title] = [freshKey(), unique('Title')];
  const first = await create(key, { title }, admin, where.slug);
  await before.stop();
  const after = await Server.start({ place });
  const again = await create(key, { title }, admin.at(after), where.slug);
  expect([again.status, again.text]).toEqual([first.status, first.text]);
  expect((await admin.at(after).api.listPosts({ board: where.slug })).data.items).toHaveLength(1);
  await after.stop();
  place.remove();
});

test('without a key each request is one of its own', async () => {
  const made = [await post(anna, talk, 'Alike'), await post(anna, talk, 'Alike')];
  expect(made[0]!.id).not.toBe(made[1]!.id);
});
