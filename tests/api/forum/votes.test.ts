// Votes: one stands per person and item, and the counts are right whatever happens at once.
import { beforeAll, expect, test } from 'vitest';
import type { Ballot, Board, Tally } from '../../generated/api.ts';
import { board, boardWhen, comment, member, members, type Person, post, stranger } from '../../harness/people.ts';
import { expectProblem, expectWrong } from '../../harness/problems.ts';
import { world } from '../../harness/world.ts';

const VALUES: Ballot['value'][] = ['agree', 'disagree', 'pass'];

const scene = world();
let anna: Person;
let crowd: Person[];
let talk: Board;

beforeAll(async () => {
  anna = await member(scene.server);
  crowd = await members(scene.server, 50);
  talk = await board(scene.administrator);
});

const vote = (by: Person, item: string, value: Ballot['value']) => by.api.castVote({ item, body: { value } });

/** How an item stands when these votes do. */
function tallyOf(values: (Ballot['value'] | undefined)[]): Tally {
  const count = (value: string): number => values.filter((each) => each === value).length;
  return { agree_count: count('agree'), disagree_count: count('disagree'), pass_count: count('pass') };
}

test.each(VALUES)("a vote “%s” stands, is counted and is shown as one's own", async (value) => {
  const item = await post(anna, talk);
  const { data } = await vote(anna, item.id, value);
  expect(data).toEqual({ ...tallyOf([value]), own: value });
  expect((await anna.api.readPost({ post: item.id })).data.tally).toEqual(data);
  expect((await stranger(scene.server).api.readPost({ post: item.id })).data.tally).toEqual(tallyOf([value]));
});

test('a new vote replaces the one before', async () => {
  const item = await post(anna, talk);
  for (const value of ['agree', 'disagree', 'disagree', 'pass', 'agree'] as const) {
    expect((await vote(anna, item.id, value)).data).toEqual({ ...tallyOf([value]), own: value });
  }
});

test('a vote can be taken back, and taking back none changes nothing', async () => {
  const item = await post(anna, talk);
  await vote(anna, item.id, 'agree');
  expect((await anna.api.withdrawVote({ item: item.id })).data).toEqual(tallyOf([]));
  expect((await anna.api.withdrawVote({ item: item.id })).data).toEqual(tallyOf([]));
  expect((await vote(anna, item.id, 'pass')).data).toEqual({ ...tallyOf(['pass']), own: 'pass' });
});

test('comments are voted on as posts are', async () => {
  const item = await comment(anna, await post(anna, talk));
  await vote(anna, item.id, 'disagree');
  expect((await vote(crowd[0]!, item.id, 'agree')).data).toEqual({ ...tallyOf(['agree', 'disagree']), own: 'agree' });
  expect((await anna.api.readComment({ comment: item.id })).data.tally).toEqual({ ...tallyOf(['agree', 'disagree']), own: 'disagree' });
});

test('a stranger cannot vote', async () => {
  const item = await post(anna, talk);
  expectProblem(
    await stranger(scene.server).ask('PUT', `/api/v1/items/${item.id}/vote`, { body: { value: 'agree' } }),
    401,
    'unauthenticated',
  );
  expectProblem(await stranger(scene.server).ask('DELETE', `/api/v1/items/${item.id}/vote`), 401, 'unauthenticated');
});

test.each([[{}], [{ value: 'maybe' }], [{ value: 1 }], [{ value: null }], [{ value: ['agree'] }], [{ value: 'AGREE' }]])(
  'a ballot %j is refused and counts nothing',
  async (body) => {
    const item = await post(anna, talk);
    expectWrong(await anna.ask('PUT', `/api/v1/items/${item.id}/vote`, { body }), '/value');
    expect((await anna.api.readPost({ post: item.id })).data.tally).toEqual(tallyOf([]));
  },
);

test('50 members who vote on one item at once, change their minds and withdraw leave exactly the votes that stand', async () => {
  const item = await post(anna, talk);
  const standing = await Promise.all(
    crowd.map(async (person, index) => {
      let last: Ballot['value'] | undefined;
      for (let round = 0; round < 4; round++) {
        last = VALUES[(index + round * (1 + (index % 2))) % 3]!;
        await vote(person, item.id, last);
      }
      if (index % 5 > 0) return last;
      await person.api.withdrawVote({ item: item.id });
      return undefined;
    }),
  );
  expect((await stranger(scene.server).api.readPost({ post: item.id })).data.tally).toEqual(tallyOf(standing));
  for (const [index, person] of crowd.entries()) {
    expect((await person.api.readPost({ post: item.id })).data.tally.own, `member ${index}`).toBe(standing[index]);
  }
});

test('one member who votes ten times at once has one vote that stands', async () => {
  const item = await post(anna, talk);
  await Promise.all(Array.from({ length: 10 }, (_, index) => vote(anna, item.id, VALUES[index % 3]!)));
  const { data } = await anna.api.readPost({ post: item.id });
  expect(data.tally).toEqual({ ...tallyOf([data.tally.own]), own: data.tally.own });
});

test('the totals of a board follow: each person is one voter, however often and on however much they vote', async () => {
  const fresh = await board(scene.administrator);
  const items = [await post(anna, fresh), await post(anna, fresh)];
  const under = await comment(anna, items[0]!);
  const voters = crowd.slice(0, 12);
  const standing: (Ballot['value'] | undefined)[] = [];
  await Promise.all(
    voters.map(async (person, index) => {
      await vote(person, items[0]!.id, VALUES[index % 3]!);
      await vote(person, items[1]!.id, 'agree');
      await vote(person, items[1]!.id, 'pass');
      await vote(person, under.id, 'disagree');
      standing.push(VALUES[index % 3], 'pass', 'disagree');
    }),
  );
  const expected = { ...tallyOf(standing), voter_count: 12, post_count: 2, comment_count: 1 };
  const reached = (each: Board): boolean => Object.entries(expected).every(([name, value]) => each[name as keyof Board] === value);
  await boardWhen(anna, fresh.slug, reached);

  for (const item of [items[0]!, items[1]!, under]) await voters[0]!.api.withdrawVote({ item: item.id });
  await boardWhen(anna, fresh.slug, (each) => each.voter_count === 11 && each.agree_count + each.disagree_count + each.pass_count === 33);
  await voters[1]!.api.withdrawVote({ item: under.id });
  await boardWhen(anna, fresh.slug, (each) => each.voter_count === 11 && each.disagree_count === expected.disagree_count - 2);
});
