// Pages and cursors: whole, stable while others write, and worth nothing when forged.
import { beforeAll, expect, test } from 'vitest';
import type { Board } from '../../generated/api.ts';
import { board, comment, member, type Person, post } from '../../harness/people.ts';
import { expectWrong } from '../../harness/problems.ts';
import { Server } from '../../harness/server.ts';
import { world } from '../../harness/world.ts';

const scene = world();
let anna: Person;
let talk: Board;
const written: string[] = [];

beforeAll(async () => {
  anna = await member(scene.server);
  talk = await board(scene.administrator);
  for (let index = 0; index < 12; index++) written.push((await post(anna, talk)).id);
  for (let index = 0; index < 4; index++) await board(scene.administrator);
});

/** Follows a listing to its end; between the pages something may happen. */
async function follow(
  page: (cursor?: string) => Promise<{ items: { id: string }[]; next?: string }>,
  between: () => Promise<unknown> = async () => undefined,
): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | undefined;
  for (let pages = 0; pages < 100; pages++) {
    const { items, next } = await page(cursor);
    ids.push(...items.map((item) => item.id));
    if (!next) return ids;
    cursor = next;
    await between();
  }
  throw new Error('The listing does not end.');
}

test.each([1, 5, 11, 12, 13, 100])('the posts of a board come latest first in pages of %i, each of them once', async (limit) => {
  const ids = await follow(async (cursor) => (await anna.api.listPosts({ board: talk.slug, limit, cursor })).data);
  expect(ids).toEqual([...written].reverse());
});

test.each([1, 5, 11, 12])('posts that are agreed with alike come in pages of %i, each of them once', async (limit) => {
  const ids = await follow(async (cursor) => (await anna.api.listPosts({ board: talk.slug, sort: 'agreed', limit, cursor })).data);
  expect(ids).toEqual([...written].reverse());
});

test('without a limit a page has 20 at most', async () => {
  const full = await board(scene.administrator);
  for (let index = 0; index < 21; index++) await post(anna, full);
  const { data } = await anna.api.listPosts({ board: full.slug });
  expect(data.items).toHaveLength(20);
  expect(data.next).toBeTruthy();
});

test('pages stay whole while others post and delete: nothing is skipped or shown twice', async () => {
  const busy = await board(scene.administrator);
  const before: string[] = [];
  for (let index = 0; index < 9; index++) before.push((await post(anna, busy)).id);
  const ids = await follow(
    async (cursor) => (await anna.api.listPosts({ board: busy.slug, limit: 2, cursor })).data,
    async () => {
      const late = await post(anna, busy);
      await anna.api.deletePost({ post: late.id });
      await post(anna, busy);
    },
  );
  expect(ids).toEqual(before.reverse());
});

test('boards, too, are paged whole', async () => {
  const all = (await anna.api.listBoards({ limit: 100 })).data.items.map((each) => each.id);
  expect(await follow(async (cursor) => (await anna.api.listBoards({ limit: 2, cursor })).data)).toEqual(all);
});

test('an empty board has one empty page', async () => {
  const empty = await board(scene.administrator);
  expect((await anna.api.listPosts({ board: empty.slug })).data).toEqual({ items: [] });
});

const listing = (query: string) => anna.ask('GET', `/api/v1/boards/${talk.slug}/posts?${query}`);

test.each(['0', '101', '-1', '1.5', 'x', '', '9223372036854775808', '1e1', ' 5', '٥'])(
  'a limit of “%s” is refused, and the answer points at it',
  async (limit) => {
    expectWrong(await listing(`limit=${encodeURIComponent(limit)}`), 'query/limit');
  },
);

test.each(['newest', '', 'NEW', 'new,agreed'])('an order “%s” that is not there is refused', async (sort) => {
  expectWrong(await listing(`sort=${encodeURIComponent(sort)}`), 'query/sort');
});

test('a parameter that is not there is refused, and one that comes twice', async () => {
  expectWrong(await listing('page=2'), 'query/page');
  expectWrong(await listing('limit=1&limit=2'), 'query/limit');
});

test('forged and damaged cursors are refused, and the answer points at them', async () => {
  const { next } = (await anna.api.listPosts({ board: talk.slug, limit: 2 })).data;
  const middle = Math.floor(next!.length / 2);
  const forged = [
    'x',
    'AAAA',
    next!.slice(0, -2),
    `${next!}AA`,
    `${next!}=`,
    next!.slice(0, middle) + (next![middle] === 'A' ? 'B' : 'A') + next!.slice(middle + 1),
    Buffer.from(JSON.stringify({ id: written[3] })).toString('base64url'),
    'ä'.repeat(20),
    'c'.repeat(200),
  ];
  for (const cursor of forged) expectWrong(await listing(`limit=2&cursor=${encodeURIComponent(cursor)}`), 'query/cursor');
  expectWrong(await listing(`cursor=${'c'.repeat(201)}`), 'query/cursor');
});

test('a cursor of another listing, order or board is refused', async () => {
  const other = await board(scene.administrator);
  for (let index = 0; index < 3; index++) await post(anna, other);
  const thread = await post(anna, talk);
  for (let index = 0; index < 3; index++) await comment(anna, thread);
  const cursors = [
    (await anna.api.listPosts({ board: talk.slug, sort: 'agreed', limit: 2 })).data.next!,
    (await anna.api.listPosts({ board: other.slug, limit: 2 })).data.next!,
    (await anna.api.listBoards({ limit: 2 })).data.next!,
    (await anna.api.listComments({ post: thread.id, limit: 2 })).data.next!,
  ];
  for (const cursor of cursors) expectWrong(await listing(`limit=2&cursor=${cursor}`), 'query/cursor');
  written.push(thread.id);
});

test('a cursor of another community is refused', async () => {
  const elsewhere = await Server.start();
  const admin = await member(elsewhere);
  for (let index = 0; index < 3; index++) await board(admin);
  const { next } = (await admin.api.listBoards({ limit: 2 })).data;
  expectWrong(await anna.ask('GET', `/api/v1/boards?limit=2&cursor=${next}`), 'query/cursor');
  await elsewhere.stop();
});
