// Boards: opened, read, changed and closed by those who may.
import { beforeAll, expect, test } from 'vitest';
import { board, boardWhen, comment, freshKey, member, type Person, post, stranger, unique } from '../../harness/people.ts';
import { expectProblem, expectWrong, pointers } from '../../harness/problems.ts';
import { world } from '../../harness/world.ts';

const scene = world();
let admin: Person;
let anna: Person;

beforeAll(async () => {
  admin = scene.administrator;
  anna = await member(scene.server);
});

const change = (slug: string, body: unknown, etag?: string, by = admin) =>
  by.ask('PATCH', `/api/v1/boards/${slug}`, { body, headers: etag ? { 'If-Match': etag } : {} });

test('a board that was opened is there, for members and for strangers', async () => {
  const slug = unique('garden');
  const { data, status } = await admin.api.createBoard({
    body: { slug, title: 'The garden 🌱', description: 'What to plant.', kind: 'discussion' },
  });
  expect(status).toBe(201);
  expect(data).toMatchObject({
    slug,
    title: 'The garden 🌱',
    description: 'What to plant.',
    kind: 'discussion',
    post_count: 0,
    comment_count: 0,
    voter_count: 0,
  });
  for (const reader of [admin, anna]) expect((await reader.api.readBoard({ board: slug })).data).toEqual(data);
  const { voted_count, ...shown } = data;
  expect(voted_count).toBe(0);
  expect((await stranger(scene.server).api.readBoard({ board: slug })).data).toEqual(shown);
});

test('the answer to a new board says where it is', async () => {
  const slug = unique('where');
  const answer = await admin.ask('POST', '/api/v1/boards', { body: { slug, title: 'Where', kind: 'discussion' } });
  expect(answer.headers.location).toBe(`/api/v1/boards/${slug}`);
  expect(answer.headers.etag).toMatch(/^"[\w.]+"$/);
});

test('the list shows the latest board first', async () => {
  const opened = [await board(admin), await board(admin), await board(admin)];
  const { data } = await anna.api.listBoards({ limit: 3 });
  expect(data.items.map((each) => each.slug)).toEqual(opened.map((each) => each.slug).reverse());
});

test('a short name serves once', async () => {
  const taken = await board(admin);
  const answer = await admin.ask('POST', '/api/v1/boards', { body: { slug: taken.slug, title: 'Another', kind: 'discussion' } });
  expectProblem(answer, 409, 'slug_taken');
});

test('of ten who open a board of the same name at once exactly one does', async () => {
  const body = { slug: unique('race'), title: 'A race', kind: 'discussion' };
  const answers = await Promise.all(Array.from({ length: 10 }, () => admin.ask('POST', '/api/v1/boards', { body })));
  expect(answers.map((answer) => answer.status).sort()).toEqual([201, ...Array<number>(9).fill(409)]);
});

test('a member without a role opens no board and changes none', async () => {
  const body = { slug: unique('mine'), title: 'Mine', kind: 'discussion' };
  expectProblem(await anna.ask('POST', '/api/v1/boards', { body }), 403, 'forbidden');
  const other = await board(admin);
  expectProblem(await change(other.slug, { title: 'Taken over' }, '"1"', anna), 403, 'forbidden');
  expect((await anna.api.readBoard({ board: other.slug })).data.title).toBe(other.title);
});

test('a stranger is asked to sign in', async () => {
  const answer = await stranger(scene.server).ask('POST', '/api/v1/boards', {
    body: { slug: unique('s'), title: 'S', kind: 'discussion' },
  });
  expectProblem(answer, 401, 'unauthenticated');
});

test('a board that is not there is not found, by reading, changing or posting', async () => {
  for (const slug of ['no-such-board', 'NO', 'a b', '..', '%00', 'x'.repeat(61)]) {
    const path = `/api/v1/boards/${encodeURIComponent(slug)}`;
    if (slug !== '..') expectProblem(await anna.ask('GET', path), 404, 'not_found');
  }
  expectProblem(await change('no-such-board', { title: 'T' }, '"1"'), 404, 'not_found');
  expectProblem(await anna.ask('POST', '/api/v1/boards/no-such-board/posts', { body: { title: 'T' } }), 404, 'not_found');
  expectProblem(await anna.ask('GET', '/api/v1/boards/no-such-board/posts'), 404, 'not_found');
  expectProblem(await anna.ask('GET', '/api/v1/boards/no-such-board/unvoted'), 404, 'not_found');
});

test.each([
  ['slug', 'With Capitals'],
  ['slug', ''],
  ['slug', 'x'.repeat(61)],
  ['slug', 'ü'],
  ['title', ''],
  ['title', 't'.repeat(101)],
  ['title', 5],
  ['title', null],
  ['description', 'd'.repeat(2001)],
  ['kind', 'poll'],
  ['kind', ['discussion']],
])('a new board whose %s is %j is refused', async (field, value) => {
  const body = { slug: unique('wrong'), title: 'T', kind: 'discussion', [field]: value };
  expectWrong(await admin.ask('POST', '/api/v1/boards', { body }), `/${field}`);
});

test('lengths are counted in characters, not in bytes', async () => {
  const slug = unique('long');
  const { data } = await admin.api.createBoard({
    body: { slug, title: '🗳'.repeat(100), description: '漢'.repeat(2000), kind: 'discussion' },
  });
  expect((await anna.api.readBoard({ board: slug })).data).toEqual(data);
});

test('a new board that lacks everything has all of it named', async () => {
  const problem = expectProblem(await admin.ask('POST', '/api/v1/boards', { body: {} }), 422, 'invalid');
  expect(pointers(problem)).toEqual(['/kind', '/slug', '/title']);
});

test('a board changes under the version that was read, and only what was named', async () => {
  const created = await board(admin);
  const { etag } = await admin.api.readBoard({ board: created.slug });
  const changed = await admin.api.changeBoard({ board: created.slug, body: { description: 'New words.' }, ifMatch: etag! });
  expect(changed.data).toEqual({ ...created, description: 'New words.' });
  expect(changed.etag).not.toBe(etag);
  const read = await anna.api.readBoard({ board: created.slug });
  expect(read).toMatchObject({ data: changed.data, etag: changed.etag });
});

test('a change without a version is refused with 428, with an old version with 412, and changes nothing', async () => {
  const created = await board(admin);
  const { etag } = await admin.api.readBoard({ board: created.slug });
  expectProblem(await change(created.slug, { title: 'A' }), 428, 'precondition_required');
  await admin.api.changeBoard({ board: created.slug, body: { title: 'First' }, ifMatch: etag! });
  expectProblem(await change(created.slug, { title: 'Second' }, etag), 412, 'version_conflict');
  expect((await anna.api.readBoard({ board: created.slug })).data.title).toBe('First');
});

test.each(['5', '"x"', '"99999999999999999999999"', '""', 'W/"1"', '"-1"', '"1" trailing'])(
  'a change with the version %s, which nobody gave out, is refused',
  async (etag) => {
    const created = await board(admin);
    const answer = await change(created.slug, { title: 'A' }, etag);
    expect([400, 412, 422]).toContain(answer.status);
    expect((await anna.api.readBoard({ board: created.slug })).data.title).toBe(created.title);
  },
);

test('a version of more than 64 characters is refused before it is looked at', async () => {
  const created = await board(admin);
  const { etag } = await admin.api.readBoard({ board: created.slug });
  const answer = await change(created.slug, { title: 'A' }, `${Array<string>(20).fill('"1"').join(', ')}, ${etag}`);
  expectWrong(answer, 'header/If-Match');
  expect((await anna.api.readBoard({ board: created.slug })).data.title).toBe(created.title);
});

test('of ten changes at once under one version exactly one succeeds', async () => {
  const created = await board(admin);
  const { etag } = await admin.api.readBoard({ board: created.slug });
  const answers = await Promise.all(Array.from({ length: 10 }, (_, index) => change(created.slug, { title: `Title ${index}` }, etag)));
  expect(answers.map((answer) => answer.status).sort()).toEqual([200, ...Array<number>(9).fill(412)]);
});

test('a change of nothing is refused', async () => {
  const created = await board(admin);
  const answer = await change(created.slug, {}, '"1"');
  expectProblem(answer, 422, 'invalid');
});

test('the kind and the short name of a board cannot change', async () => {
  const created = await board(admin);
  expectWrong(await change(created.slug, { kind: 'statements' }, '"1"'), '/kind');
  expectWrong(await change(created.slug, { slug: 'other' }, '"1"'), '/slug');
});

test('a closed board refuses posts, comments, votes and edits and says what to do; reading goes on; opened again it takes them', async () => {
  const created = await board(admin);
  const topic = await post(anna, created);
  const reply = await comment(anna, topic);
  const { etag: ofTopic } = await anna.api.readPost({ post: topic.id });
  const { etag: ofReply } = await anna.api.readComment({ comment: reply.id });
  const { etag } = await admin.api.readBoard({ board: created.slug });
  const closed = await admin.api.changeBoard({ board: created.slug, body: { closed: true }, ifMatch: etag! });
  expect(closed.data.closed_at).toBeTruthy();

  const refused = [
    await anna.ask('POST', `/api/v1/boards/${created.slug}/posts`, { body: { title: 'Late' }, headers: { 'Idempotency-Key': freshKey() } }),
    await anna.ask('POST', `/api/v1/posts/${topic.id}/comments`, { body: { body: 'Late' } }),
    await anna.ask('PUT', `/api/v1/items/${topic.id}/vote`, { body: { value: 'agree' } }),
    await anna.ask('PUT', `/api/v1/items/${reply.id}/vote`, { body: { value: 'agree' } }),
    await anna.ask('DELETE', `/api/v1/items/${topic.id}/vote`),
    await anna.ask('PATCH', `/api/v1/posts/${topic.id}`, { body: { title: 'Late' }, headers: { 'If-Match': ofTopic! } }),
    await anna.ask('PATCH', `/api/v1/comments/${reply.id}`, { body: { body: 'Late' }, headers: { 'If-Match': ofReply! } }),
  ];
  for (const answer of refused) expect(expectProblem(answer, 409, 'board_closed').detail).toBeTruthy();
  expect((await anna.api.readPost({ post: topic.id })).data).toMatchObject({ title: topic.title, tally: { agree_count: 0 } });

  const opened = await admin.api.changeBoard({ board: created.slug, body: { closed: false }, ifMatch: closed.etag! });
  expect(opened.data.closed_at).toBeUndefined();
  await post(anna, created);
  await boardWhen(anna, created.slug, (each) => each.post_count === 2 && each.comment_count === 1);
});
