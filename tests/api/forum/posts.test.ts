// Posts: written, read, edited and deleted by their authors.
import { beforeAll, expect, test } from 'vitest';
import type { Board, Post } from '../../generated/api.ts';
import { board, boardWhen, comment, freshKey, known, member, type Person, post, stranger } from '../../harness/people.ts';
import { expectProblem, expectWrong } from '../../harness/problems.ts';
import { world } from '../../harness/world.ts';

const scene = world();
let anna: Person;
let ben: Person;
let talk: Board;

beforeAll(async () => {
  [anna, ben] = [await member(scene.server), await member(scene.server)];
  talk = await board(scene.administrator);
  await known(anna, talk);
});

const create = (body: unknown, by = anna, headers: Record<string, string> = {}) =>
  by.ask('POST', `/api/v1/boards/${talk.slug}/posts`, { body, headers });
const change = (id: string, body: unknown, etag?: string, by = anna) =>
  by.ask('PATCH', `/api/v1/posts/${id}`, { body, headers: etag ? { 'If-Match': etag } : {} });

test('a post is there afterwards, with its author, for members and for strangers', async () => {
  const answer = await create({ title: 'Where shall the bench stand?', body: 'Under the **oak**?\nOr — “by the pond”? 🦆' });
  expect(answer.status).toBe(201);
  const made = answer.json<Post>();
  expect(answer.headers.location).toBe(`/api/v1/posts/${made.id}`);
  expect(made).toMatchObject({
    board_id: talk.id,
    board_slug: talk.slug,
    author: { id: anna.id, name: anna.name },
    moderation: 'accepted',
    comment_count: 0,
  });
  for (const reader of [anna, ben, stranger(scene.server)]) expect((await reader.api.readPost({ post: made.id })).data).toEqual(made);
});

test('a member who signed up this very moment can post, and the name follows within moments', async () => {
  const fresh = await member(scene.server);
  expect((await post(fresh, talk)).author!.id).toBe(fresh.id);
  await known(fresh, talk);
});

test('a post is counted on its board', async () => {
  const empty = await board(scene.administrator);
  await post(anna, empty);
  await post(ben, empty);
  await boardWhen(anna, empty.slug, (each) => each.post_count === 2);
});

test('a stranger cannot post', async () => {
  expectProblem(await create({ title: 'Hello' }, stranger(scene.server)), 401, 'unauthenticated');
});

test.each([
  ['/title', { title: '' }],
  ['/title', { title: ' \t\u00a0' }],
  ['/title', { title: '\u200b\u2060\ufeff' }],
  ['/title', { title: 't'.repeat(301) }],
  ['/title', { body: 'A body alone.' }],
  ['/title', { title: ['T'] }],
  ['/body', { title: 'T', body: 'b'.repeat(40_001) }],
  ['/body', { title: 'T', body: 5 }],
  ['/author', { title: 'T', author: 'someone else' }],
])('a post with a wrong %s is refused, and the answer points at it', async (pointer, body) => {
  expectWrong(await create(body), pointer);
});

test('the longest title and the longest body are taken', async () => {
  const made = (await create({ title: '題'.repeat(300), body: 'b'.repeat(40_000) })).json<Post>();
  expect((await ben.api.readPost({ post: made.id })).data.body).toHaveLength(40_000);
});

test('the same post sent twice with one key is one post, and both answers are alike', async () => {
  const headers = { 'Idempotency-Key': freshKey() };
  const first = await create({ title: 'Once' }, anna, headers);
  const again = await create({ title: 'Once' }, anna, headers);
  expect(again.status).toBe(201);
  expect(again.json()).toEqual(first.json());
});

test("markup is kept as it was written: what it may do is the reader's business", async () => {
  const title = '<script>alert(1)</script> & \' " \\ \u2028';
  const made = (await create({ title, body: '‮ right to left' })).json<Post>();
  expect((await ben.api.readPost({ post: made.id })).data).toMatchObject({ title, body: '‮ right to left' });
});

test('an author edits a post under the version that was read', async () => {
  const made = await post(anna, talk);
  const { etag } = await anna.api.readPost({ post: made.id });
  const edited = await anna.api.changePost({ post: made.id, body: { body: 'Better words.' }, ifMatch: etag! });
  expect(edited.data).toMatchObject({ title: made.title, body: 'Better words.' });
  expect(edited.data.edited_at).toBeTruthy();
  expect(await ben.api.readPost({ post: made.id })).toMatchObject({ data: edited.data, etag: edited.etag });
});

test('an edit without a version is refused with 428, under an old one with 412', async () => {
  const made = await post(anna, talk);
  const { etag } = await anna.api.readPost({ post: made.id });
  expectProblem(await change(made.id, { title: 'New' }), 428, 'precondition_required');
  await anna.api.changePost({ post: made.id, body: { title: 'First' }, ifMatch: etag! });
  expectProblem(await change(made.id, { title: 'Second' }, etag), 412, 'version_conflict');
  expect((await anna.api.readPost({ post: made.id })).data.title).toBe('First');
});

test.each([
  ['/title', { title: '' }],
  ['/title', { title: '  ' }],
  ['/title', { title: null }],
  ['/title', { title: 't'.repeat(301) }],
  ['/moderation', { moderation: 'accepted' }],
])('an edit with a wrong %s is refused', async (pointer, body) => {
  const made = await post(anna, talk);
  const { etag } = await anna.api.readPost({ post: made.id });
  expectWrong(await change(made.id, body, etag), pointer);
});

test("other people's posts cannot be edited or deleted, not even by the administrator", async () => {
  const made = await post(anna, talk);
  const { etag } = await ben.api.readPost({ post: made.id });
  for (const other of [ben, scene.administrator]) {
    expectProblem(await change(made.id, { title: 'Mine now' }, etag, other), 403, 'not_yours');
    expectProblem(await other.ask('DELETE', `/api/v1/posts/${made.id}`), 403, 'not_yours');
  }
  expect((await ben.api.readPost({ post: made.id })).data).toEqual(made);
});

test('deleting a post takes its text and its author and leaves what others said below', async () => {
  const made = await post(anna, talk);
  const reply = await comment(ben, made, 'I disagree.');
  expect((await anna.api.deletePost({ post: made.id })).status).toBe(204);
  const left = (await ben.api.readPost({ post: made.id })).data;
  expect(left).toMatchObject({ title: '', body: '', comment_count: 1 });
  expect(left.deleted_at).toBeTruthy();
  expect(left.author).toBeUndefined();
  expect((await ben.api.listComments({ post: made.id })).data.items.map((each) => each.body)).toEqual([reply.body]);
});

test('a deleted post is no longer counted on its board', async () => {
  const fresh = await board(scene.administrator);
  const [made] = [await post(anna, fresh), await post(ben, fresh)];
  await boardWhen(anna, fresh.slug, (each) => each.post_count === 2);
  await anna.api.deletePost({ post: made.id });
  await boardWhen(anna, fresh.slug, (each) => each.post_count === 1);
});

test('a deleted post is gone: it takes no edit, comment or vote, and cannot be deleted twice', async () => {
  const made = await post(anna, talk);
  const { etag } = await anna.api.readPost({ post: made.id });
  await anna.api.deletePost({ post: made.id, ifMatch: etag });
  const refused = [
    await change(made.id, { title: 'Back' }, (await anna.api.readPost({ post: made.id })).etag),
    await anna.ask('DELETE', `/api/v1/posts/${made.id}`),
    await ben.ask('POST', `/api/v1/posts/${made.id}/comments`, { body: { body: 'Late' } }),
    await ben.ask('PUT', `/api/v1/items/${made.id}/vote`, { body: { value: 'agree' } }),
  ];
  for (const answer of refused) expectProblem(answer, 410, 'gone');
});

test('deleting under an old version is refused with 412 and deletes nothing', async () => {
  const made = await post(anna, talk);
  const { etag } = await anna.api.readPost({ post: made.id });
  await anna.api.changePost({ post: made.id, body: { title: 'Newer' }, ifMatch: etag! });
  expectProblem(await anna.ask('DELETE', `/api/v1/posts/${made.id}`, { headers: { 'If-Match': etag! } }), 412, 'version_conflict');
  expect((await anna.api.readPost({ post: made.id })).data.deleted_at).toBeUndefined();
});

test.each(['00000000-0000-0000-0000-000000000000', '018f0000-0000-7000-8000-000000000000', 'not-an-id', '1', '%27%20OR%201=1'])(
  'the post “%s”, which nobody wrote, is not found by any operation',
  async (id) => {
    expectProblem(await anna.ask('GET', `/api/v1/posts/${id}`), 404, 'not_found');
    expectProblem(await change(id, { title: 'T' }, '"1"'), 404, 'not_found');
    expectProblem(await anna.ask('DELETE', `/api/v1/posts/${id}`), 404, 'not_found');
    expectProblem(await anna.ask('GET', `/api/v1/posts/${id}/comments`), 404, 'not_found');
    expectProblem(await anna.ask('POST', `/api/v1/posts/${id}/comments`, { body: { body: 'B' } }), 404, 'not_found');
    expectProblem(await anna.ask('PUT', `/api/v1/items/${id}/vote`, { body: { value: 'pass' } }), 404, 'not_found');
    expectProblem(await anna.ask('DELETE', `/api/v1/items/${id}/vote`), 404, 'not_found');
  },
);

test('the id of a comment is not the id of a post, nor the other way round', async () => {
  const made = await post(anna, talk);
  const reply = await comment(anna, made);
  expectProblem(await anna.ask('GET', `/api/v1/posts/${reply.id}`), 404, 'not_found');
  expectProblem(await anna.ask('GET', `/api/v1/comments/${made.id}`), 404, 'not_found');
  expectProblem(await anna.ask('DELETE', `/api/v1/comments/${made.id}`), 404, 'not_found');
});
