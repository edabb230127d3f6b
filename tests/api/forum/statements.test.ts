// Statement boards: short statements to vote on one after another, and answers below them all the same.
import { beforeAll, expect, test } from 'vitest';
import type { Board, Post } from '../../generated/api.ts';
import { board, boardWhen, comment, member, members, type Person, post, stranger } from '../../harness/people.ts';
import { expectProblem, expectWrong } from '../../harness/problems.ts';
import { world } from '../../harness/world.ts';

const scene = world();
let anna: Person;
let statements: Board;

beforeAll(async () => {
  anna = await member(scene.server);
  statements = await board(scene.administrator, 'statements');
});

const create = (body: unknown, on = statements) => anna.ask('POST', `/api/v1/boards/${on.slug}/posts`, { body });

test('a statement may have 400 characters, and not one more', async () => {
  expect((await create({ title: '言'.repeat(400) })).status).toBe(201);
  expectWrong(await create({ title: 's'.repeat(401) }), '/title');
});

test('a statement has no body', async () => {
  expectWrong(await create({ title: 'A statement', body: 'And its reasons.' }), '/body');
  expect((await create({ title: 'A statement', body: '' })).status).toBe(201);
});

test('an edit cannot give a statement a body or too long a title either', async () => {
  const made = await post(anna, statements);
  const { etag } = await anna.api.readPost({ post: made.id });
  const change = (body: unknown) => anna.ask('PATCH', `/api/v1/posts/${made.id}`, { body, headers: { 'If-Match': etag! } });
  expectWrong(await change({ body: 'Reasons.' }), '/body');
  expectWrong(await change({ title: 's'.repeat(401) }), '/title');
  expect((await change({ title: 's'.repeat(400) })).status).toBe(200);
});

test('a statement can be answered', async () => {
  const made = await post(anna, statements);
  const reply = await comment(anna, made, 'It depends.');
  expect(reply).toMatchObject({ post_id: made.id, depth: 1 });
});

test('the statements one has not voted on come oldest first, and shrink with each vote of whatever kind', async () => {
  const fresh = await board(scene.administrator, 'statements');
  const voter = await member(scene.server);
  const made: Post[] = [];
  for (let index = 0; index < 5; index++) made.push(await post(anna, fresh));
  const open = async (limit = 20): Promise<string[]> =>
    (await voter.api.listUnvoted({ board: fresh.slug, limit })).data.items.map((each) => each.id);
  expect(await open()).toEqual(made.map((each) => each.id));
  expect(await open(2)).toEqual(made.slice(0, 2).map((each) => each.id));
  for (const [index, value] of (['agree', 'disagree', 'pass'] as const).entries())
    await voter.api.castVote({ item: made[index]!.id, body: { value } });
  expect(await open()).toEqual(made.slice(3).map((each) => each.id));
  await anna.api.castVote({ item: made[3]!.id, body: { value: 'agree' } }); // another's vote hides nothing
  expect(await open()).toEqual(made.slice(3).map((each) => each.id));
  await voter.api.withdrawVote({ item: made[1]!.id });
  expect(await open()).toEqual([made[1]!.id, made[3]!.id, made[4]!.id]);
});

test('a deleted statement is no longer put to the vote', async () => {
  const fresh = await board(scene.administrator, 'statements');
  const [kept, deleted] = [await post(anna, fresh), await post(anna, fresh)];
  await anna.api.deletePost({ post: deleted.id });
  expect((await anna.api.listUnvoted({ board: fresh.slug })).data.items.map((each) => each.id)).toEqual([kept.id]);
});

test('a board says how many of its statements take votes, and on how many of them one has voted', async () => {
  const fresh = await board(scene.administrator, 'statements');
  const [voter, other] = await members(scene.server, 2);
  const made: Post[] = [];
  for (let index = 0; index < 5; index++) made.push(await post(anna, fresh));
  const progress = async (reader: Person, voted: number, votable: number): Promise<void> => {
    const shown = await boardWhen(reader, fresh.slug, (each) => each.voted_count === voted && each.votable_count === votable);
    expect(shown).toMatchObject({ voted_count: voted, votable_count: votable });
  };
  const vote = (reader: Person, item: string, value: 'agree' | 'disagree') => reader.api.castVote({ item, body: { value } });

  await progress(voter!, 0, 5);
  for (const each of made.slice(0, 3)) await vote(voter!, each.id, 'agree');
  await vote(voter!, made[0]!.id, 'disagree');
  await vote(other!, made[1]!.id, 'agree');
  await vote(voter!, (await comment(anna, made[4]!)).id, 'agree');
  await progress(voter!, 3, 5);
  await progress(other!, 1, 5);
  await voter!.api.withdrawVote({ item: made[2]!.id });
  await progress(voter!, 2, 5);
  await anna.api.deletePost({ post: made[1]!.id });
  await anna.api.deletePost({ post: made[3]!.id });
  await progress(voter!, 1, 3);
  await progress(other!, 0, 3);
  expect((await voter!.api.listBoards({ limit: 100 })).data.items.find((each) => each.slug === fresh.slug)).toMatchObject({ voted_count: 1 });
  const seen = (await stranger(scene.server).api.readBoard({ board: fresh.slug })).data;
  expect(seen).toMatchObject({ votable_count: 3 });
  expect(seen).not.toHaveProperty('voted_count');
});

test('a stranger has no list of statements to vote on', async () => {
  expectProblem(await stranger(scene.server).ask('GET', `/api/v1/boards/${statements.slug}/unvoted`), 401, 'unauthenticated');
});

test('statements can be read by how sure we are that people agree', async () => {
  const fresh = await board(scene.administrator, 'statements');
  const voters = await members(scene.server, 6);
  const [few, most, split, none] = [await post(anna, fresh), await post(anna, fresh), await post(anna, fresh), await post(anna, fresh)];
  await voters[0]!.api.castVote({ item: few.id, body: { value: 'agree' } });
  for (const [index, voter] of voters.entries()) {
    await voter.api.castVote({ item: most.id, body: { value: 'agree' } });
    await voter.api.castVote({ item: split.id, body: { value: index % 2 ? 'agree' : 'disagree' } });
    await voter.api.castVote({ item: none.id, body: { value: 'disagree' } });
  }
  const order: string[] = [];
  let cursor: string | undefined;
  do {
    const { data } = await anna.api.listPosts({ board: fresh.slug, sort: 'agreed', limit: 1, cursor });
    order.push(...data.items.map((each) => each.id));
    cursor = data.next;
  } while (cursor);
  // The lower bounds of the Wilson interval at 95 %: 6 of 6: 0.61, 1 of 1: 0.21, 3 of 6: 0.19, 0 of 6: 0.
  expect(order).toEqual([most.id, few.id, split.id, none.id]);
});

test("each statement in a list shows its counts and one's own vote", async () => {
  const fresh = await board(scene.administrator, 'statements');
  const made = await post(anna, fresh);
  const voter = await member(scene.server);
  const list = async (reader: Person) => (await reader.api.listPosts({ board: fresh.slug })).data.items[0]!.tally;
  for (const value of ['agree', 'disagree', 'pass'] as const) {
    await voter.api.castVote({ item: made.id, body: { value } });
    const counts = { agree_count: 0, disagree_count: 0, pass_count: 0, [`${value}_count`]: 1 };
    expect(await list(voter)).toEqual({ ...counts, own: value });
    expect(await list(anna)).toEqual(counts);
  }
});
