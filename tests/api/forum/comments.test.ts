// Comments: a tree of any depth below a post, paged at every level.
import { beforeAll, expect, test } from 'vitest';
import type { Board, Comment, Post } from '../../generated/api.ts';
import { board, boardWhen, comment, freshKey, known, member, type Person, post, stranger } from '../../harness/people.ts';
import { expectProblem, expectWrong } from '../../harness/problems.ts';
import { Place, Server } from '../../harness/server.ts';
import { world } from '../../harness/world.ts';

const scene = world();
let anna: Person;
let ben: Person;
let talk: Board;
let topic: Post;

beforeAll(async () => {
  [anna, ben] = [await member(scene.server), await member(scene.server)];
  talk = await board(scene.administrator);
  topic = await post(anna, talk);
  await known(anna, talk);
});

const say = (body: unknown, on = topic, by = anna) => by.ask('POST', `/api/v1/posts/${on.id}/comments`, { body });
const change = (id: string, body: unknown, etag?: string, by = anna) =>
  by.ask('PATCH', `/api/v1/comments/${id}`, { body, headers: etag ? { 'If-Match': etag } : {} });

/** All comments of one level, read page by page. */
async function level(on: Post, options: { parent?: string; limit?: number; depth?: number }): Promise<Comment[]> {
  const all: Comment[] = [];
  let cursor: string | undefined;
  do {
    const { data } = await ben.api.listComments({ post: on.id, ...options, cursor });
    all.push(...data.items);
    cursor = data.next;
  } while (cursor);
  return all;
}

test('a comment is there afterwards, for members and for strangers, and is counted', async () => {
  const thread = await post(anna, talk);
  const answer = await say({ body: 'I like the pond. 🦆' }, thread);
  const made = answer.json<Comment>();
  expect(answer.status).toBe(201);
  expect(answer.headers.location).toBe(`/api/v1/comments/${made.id}`);
  expect(made).toMatchObject({
    post_id: thread.id,
    parent_id: thread.id,
    depth: 1,
    author: { id: anna.id, name: anna.name },
    body: 'I like the pond. 🦆',
    reply_count: 0,
  });
  for (const reader of [anna, ben, stranger(scene.server)]) expect((await reader.api.readComment({ comment: made.id })).data).toEqual(made);
  expect((await ben.api.readPost({ post: thread.id })).data.comment_count).toBe(1);
});

test('a reply stands below its comment, which counts it', async () => {
  const thread = await post(anna, talk);
  const first = await comment(anna, thread);
  const reply = await comment(ben, thread, 'A reply.', first.id);
  expect(reply).toMatchObject({ post_id: thread.id, parent_id: first.id, depth: 2 });
  expect((await ben.api.readComment({ comment: first.id })).data.reply_count).toBe(1);
  expect((await ben.api.readPost({ post: thread.id })).data.comment_count).toBe(2);
});

test('a thread may be 50 replies deep, and every level of it can be read', async () => {
  const thread = await post(anna, talk);
  const chain: Comment[] = [];
  for (let depth = 1; depth <= 50; depth++) chain.push(await comment(depth % 2 ? anna : ben, thread, `Level ${depth}`, chain.at(-1)?.id));
  expect(chain.map((each) => each.depth)).toEqual(chain.map((_, index) => index + 1));
  for (let parent: string | undefined, depth = 1; depth <= 50; depth += 4) {
    const items = (await ben.api.listComments({ post: thread.id, parent, depth: 3 })).data.items;
    expect(items.map((each) => each.body)).toEqual(
      [0, 1, 2, 3].filter((below) => depth + below <= 50).map((below) => `Level ${depth + below}`),
    );
    parent = items.at(-1)!.id;
  }
  expect((await ben.api.readPost({ post: thread.id })).data.comment_count).toBe(50);
});

test('a page has its level oldest first, each comment followed by the first three of each level below', async () => {
  const thread = await post(anna, talk);
  const [one, two] = [await comment(anna, thread, '1'), await comment(anna, thread, '2')];
  for (let reply = 1; reply <= 4; reply++) {
    const below = await comment(ben, thread, `1.${reply}`, one.id);
    for (let deeper = 1; deeper <= 4; deeper++) await comment(anna, thread, `1.${reply}.${deeper}`, below.id);
  }
  await comment(ben, thread, '2.1', two.id);
  const bodies = async (depth?: number, parent?: string): Promise<string[]> =>
    (await ben.api.listComments({ post: thread.id, depth, parent })).data.items.map((each) => each.body);
  expect(await bodies(0)).toEqual(['1', '2']);
  expect(await bodies(1)).toEqual(['1', '1.1', '1.2', '1.3', '2', '2.1']);
  const preset = ['1', '1.1', '1.1.1', '1.1.2', '1.1.3', '1.2', '1.2.1', '1.2.2', '1.2.3', '1.3', '1.3.1', '1.3.2', '1.3.3', '2', '2.1'];
  expect(await bodies()).toEqual(preset);
  expect(await bodies(3)).toEqual(preset);
  expect(await bodies(0, one.id)).toEqual(['1.1', '1.2', '1.3', '1.4']);
  const [first] = (await ben.api.listComments({ post: thread.id, depth: 0 })).data.items;
  expect(first!.reply_count).toBe(4);
});

test('each level is read page by page, whole and in order', async () => {
  const thread = await post(anna, talk);
  const parent = await comment(anna, thread, 'above');
  const made: string[] = [];
  for (let index = 0; index < 23; index++) made.push((await comment(ben, thread, `reply ${index}`, parent.id)).id);
  for (const limit of [1, 5, 22, 23, 24, 100]) {
    expect((await level(thread, { parent: parent.id, limit, depth: 0 })).map((each) => each.id)).toEqual(made);
  }
  const [page] = [await ben.api.listComments({ post: thread.id, parent: parent.id, limit: 23 })];
  expect(page.data.next).toBeUndefined();
});

test("a page shows the counts of each comment and one's own vote", async () => {
  const thread = await post(anna, talk);
  const above = await comment(anna, thread);
  const below = await comment(anna, thread, 'below', above.id);
  await ben.api.castVote({ item: above.id, body: { value: 'pass' } });
  await ben.api.castVote({ item: below.id, body: { value: 'agree' } });
  const votes = async (reader: Person) => (await reader.api.listComments({ post: thread.id })).data.items.map((each) => each.tally);
  const [passed, agreed] = [
    { agree_count: 0, disagree_count: 0, pass_count: 1 },
    { agree_count: 1, disagree_count: 0, pass_count: 0 },
  ];
  expect(await votes(ben)).toEqual([
    { ...passed, own: 'pass' },
    { ...agreed, own: 'agree' },
  ]);
  expect(await votes(anna)).toEqual([passed, agreed]);
});

test('a cursor of one level is refused at another', async () => {
  const thread = await post(anna, talk);
  const [one, two] = [await comment(anna, thread, '1'), await comment(anna, thread, '2')];
  for (const above of [one, two]) for (let reply = 0; reply < 2; reply++) await comment(ben, thread, 'below', above.id);
  const path = (parent: string, cursor: string): string => `/api/v1/posts/${thread.id}/comments?limit=1&parent=${parent}&cursor=${cursor}`;
  const { next } = (await ben.api.listComments({ post: thread.id, parent: one.id, limit: 1 })).data;
  expect((await ben.ask('GET', path(one.id, next!))).status).toBe(200);
  expectWrong(await ben.ask('GET', path(two.id, next!)), 'query/cursor');
});

test('a page of a level is cut by its own comments, not by the replies that come with them', async () => {
  const thread = await post(anna, talk);
  for (const name of ['a', 'b', 'c']) {
    const above = await comment(anna, thread, name);
    await comment(ben, thread, `${name}1`, above.id);
  }
  const first = (await ben.api.listComments({ post: thread.id, limit: 2 })).data;
  expect(first.items.map((each) => each.body)).toEqual(['a', 'a1', 'b', 'b1']);
  const second = (await ben.api.listComments({ post: thread.id, limit: 2, cursor: first.next })).data;
  expect(second.items.map((each) => each.body)).toEqual(['c', 'c1']);
});

test('pages stay whole while others comment: nothing is skipped or shown twice', async () => {
  const thread = await post(anna, talk);
  const made: string[] = [];
  for (let index = 0; index < 6; index++) made.push((await comment(anna, thread)).id);
  const first = (await ben.api.listComments({ post: thread.id, limit: 3 })).data;
  made.push((await comment(anna, thread)).id);
  const rest: string[] = [];
  for (let cursor = first.next; cursor;) {
    const { data } = await ben.api.listComments({ post: thread.id, limit: 3, cursor });
    rest.push(...data.items.map((each) => each.id));
    cursor = data.next;
  }
  expect([...first.items.map((each) => each.id), ...rest]).toEqual(made);
});

test.each([
  ['/body', {}],
  ['/body', { body: '' }],
  ['/body', { body: ' \n ' }],
  ['/body', { body: 'c'.repeat(10_001) }],
  ['/body', { body: null }],
  ['/parent', { body: 'B', parent: 'not an id' }],
  ['/title', { body: 'B', title: 'T' }],
])('a comment with a wrong %s is refused, and the answer points at it', async (pointer, body) => {
  expectWrong(await say(body), pointer);
});

test('a comment cannot reply to a comment of another thread, nor to none, nor to a post', async () => {
  const other = await comment(anna, await post(anna, talk));
  for (const parent of [other.id, '018f0000-0000-7000-8000-000000000000', other.post_id]) {
    const answer = await say({ body: 'Lost.', parent });
    expect([404, 422], answer.text).toContain(answer.status);
  }
});

test('a level below a comment that is not of this thread is not found', async () => {
  const other = await comment(anna, await post(anna, talk));
  for (const parent of [other.id, '018f0000-0000-7000-8000-000000000000']) {
    const answer = await anna.ask('GET', `/api/v1/posts/${topic.id}/comments?parent=${parent}`);
    expect([404, 422], answer.text).toContain(answer.status);
  }
  expectWrong(await anna.ask('GET', `/api/v1/posts/${topic.id}/comments?parent=x`), 'query/parent');
});

test('a stranger cannot comment', async () => {
  expectProblem(await say({ body: 'B' }, topic, stranger(scene.server)), 401, 'unauthenticated');
});

test('the same comment sent twice with one key is one comment', async () => {
  const thread = await post(anna, talk);
  const idempotencyKey = freshKey();
  const first = await anna.api.createComment({ post: thread.id, body: { body: 'Once.' }, idempotencyKey });
  const again = await anna.api.createComment({ post: thread.id, body: { body: 'Once.' }, idempotencyKey });
  expect(again.data).toEqual(first.data);
  expect((await anna.api.readPost({ post: thread.id })).data.comment_count).toBe(1);
});

test('an author edits a comment under the version that was read; without it 428, under an old one 412', async () => {
  const made = await comment(anna, topic);
  const { etag } = await anna.api.readComment({ comment: made.id });
  expectProblem(await change(made.id, { body: 'New.' }), 428, 'precondition_required');
  const edited = await anna.api.changeComment({ comment: made.id, body: { body: 'New.' }, ifMatch: etag! });
  expect(edited.data).toMatchObject({ id: made.id, body: 'New.' });
  expect(edited.data.edited_at).toBeTruthy();
  expectProblem(await change(made.id, { body: 'Newer.' }, etag), 412, 'version_conflict');
  expectWrong(await change(made.id, { body: '' }, edited.etag), '/body');
  expect((await ben.api.readComment({ comment: made.id })).data).toEqual(edited.data);
});

test("other people's comments cannot be edited or deleted", async () => {
  const made = await comment(anna, topic);
  const { etag } = await ben.api.readComment({ comment: made.id });
  expectProblem(await change(made.id, { body: 'Mine.' }, etag, ben), 403, 'not_yours');
  expectProblem(await ben.ask('DELETE', `/api/v1/comments/${made.id}`), 403, 'not_yours');
  expect((await ben.api.readComment({ comment: made.id })).data).toEqual(made);
});

test('deleting a comment takes its text and its author and keeps the replies in their place', async () => {
  const fresh = await board(scene.administrator);
  const thread = await post(anna, fresh);
  const above = await comment(anna, thread, 'Something rash.');
  const reply = await comment(ben, thread, 'I saved this.', above.id);
  await boardWhen(ben, fresh.slug, (each) => each.comment_count === 2);
  expect((await anna.api.deleteComment({ comment: above.id })).status).toBe(204);
  const left = (await ben.api.listComments({ post: thread.id })).data.items;
  expect(left.map((each) => [each.id, each.body])).toEqual([
    [above.id, ''],
    [reply.id, 'I saved this.'],
  ]);
  expect(left[0]).toMatchObject({ reply_count: 1 });
  expect(left[0]!.deleted_at).toBeTruthy();
  expect(left[0]!.author).toBeUndefined();
  expect(left[1]!.author).toEqual({ id: ben.id, name: ben.name });
  await boardWhen(ben, fresh.slug, (each) => each.comment_count === 1);
});

test('a deleted comment is gone: no edit, vote or reply, and it cannot be deleted twice', async () => {
  const made = await comment(anna, topic);
  await anna.api.deleteComment({ comment: made.id });
  const { etag } = await anna.api.readComment({ comment: made.id });
  expectProblem(await change(made.id, { body: 'Back.' }, etag), 410, 'gone');
  expectProblem(await anna.ask('DELETE', `/api/v1/comments/${made.id}`), 410, 'gone');
  expectProblem(await ben.ask('PUT', `/api/v1/items/${made.id}/vote`, { body: { value: 'agree' } }), 410, 'gone');
  expectProblem(await say({ body: 'Late.', parent: made.id }, topic, ben), 410, 'gone');
});

test('comments by 16 members at once are all there and all counted', async () => {
  const thread = await post(anna, talk);
  const above = await comment(anna, thread);
  await Promise.all(Array.from({ length: 48 }, (_, index) => comment(index % 2 ? anna : ben, thread, `Reply ${index}`, above.id)));
  expect((await ben.api.readComment({ comment: above.id })).data.reply_count).toBe(48);
  expect((await ben.api.readPost({ post: thread.id })).data.comment_count).toBe(49);
  expect(await level(thread, { parent: above.id, limit: 10, depth: 0 })).toHaveLength(48);
});

test('a page of a large thread touches what it shows, not the rest', async () => {
  const place = new Place();
  const before = await Server.start({ place });
  const admin = await member(before);
  const thread = await post(admin, await board(admin));
  await before.stop();
  // A thousand comments on the post, and ten replies to each of the first four thousand.
  const id = thread.id.replaceAll('-', '');
  const columns = 'id, board_id, root_id, parent_id, depth, author_id, title, body, created_at, moderation, version';
  place.meddle('forum', {
    sqlite: `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 41000) INSERT INTO item (${columns})
      SELECT CAST(x'01920000000070008000' || printf('%06d', i) AS BLOB), p.board_id, p.id,
             CASE WHEN i <= 1000 THEN p.id ELSE CAST(x'01920000000070008000' || printf('%06d', (i - 1000) / 10) AS BLOB) END,
             1, p.author_id, '', 'words', i, 1, 1
        FROM n, item p WHERE p.id = x'${id}';`,
    postgres: `INSERT INTO item (${columns})
      SELECT CAST('01920000-0000-7000-8000-' || lpad(i::text, 12, '0') AS uuid), p.board_id, p.id,
             CASE WHEN i <= 1000 THEN p.id ELSE CAST('01920000-0000-7000-8000-' || lpad(((i - 1000) / 10)::text, 12, '0') AS uuid) END,
             1, p.author_id, '', 'words', i, 1, 1
        FROM generate_series(1, 41000) i, item p WHERE p.id = '${thread.id}'; ANALYZE item;`,
  });
  const server = await Server.start({ place });
  const { data } = await stranger(server).api.listComments({ post: thread.id, limit: 100, depth: 3 });
  expect(data.items.length).toBeGreaterThan(450);
  expect(data.items.length).toBeLessThanOrEqual(500);
  expect(data.items.filter((each) => each.parent_id === thread.id)).toHaveLength(100);
  expect(data.next).toBeDefined();
  await server.stop();
  place.remove();
}, 60_000);
