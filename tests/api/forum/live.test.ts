// The live channel: what others do is seen at once, and nothing is missed or seen twice across a break.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import type { Board, Post } from '../../generated/api.ts';
import type { Answer } from '../../harness/exchange.ts';
import { Live } from '../../harness/live.ts';
import { board, comment, member, type Person, post, stranger } from '../../harness/people.ts';
import { expectProblem, expectWrong } from '../../harness/problems.ts';
import { Place, Server } from '../../harness/server.ts';
import { putTogether, signingKey, takeApart, withEs256 } from '../../harness/tokens.ts';
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
});

const refusal = (path: string): Promise<Answer> => anna.ask('GET', `/api/v1/live${path}`);

/** Comments and waits until the follower has seen each; answers the bodies it saw. */
async function seen(live: Live, count: number): Promise<string[]> {
  const bodies: string[] = [];
  while (bodies.length < count) bodies.push(String((await live.next('comment.created')).data.body));
  return bodies;
}

test("another member's comment arrives, for members and for strangers, as the API shows it", async () => {
  const followers = [await anna.live([`post/${topic.id}`]), await stranger(scene.server).live([`post/${topic.id}`])];
  const made = await comment(ben, topic, 'Hello, all of you. 👋');
  for (const live of followers) {
    const event = await live.next('comment.created');
    expect(event.id).toBeTruthy();
    expect(event.data).toMatchObject({ id: made.id, post_id: topic.id, parent_id: topic.id, depth: 1, body: made.body });
    live.close();
  }
});

test('the channel is kept and compressed by nobody on the way', async () => {
  const live = await stranger(scene.server).live([`post/${topic.id}`]);
  const { headers } = live.response;
  expect(headers['content-type']).toBe('text/event-stream');
  expect(headers['cache-control']).toBe('no-store');
  expect(headers['content-encoding']).toBeUndefined();
  live.close();
});

test('a new post arrives at those who follow the board', async () => {
  const live = await ben.live([`board/${talk.id}`]);
  const made = await post(anna, talk, 'Have you seen this?');
  expect((await live.next('post.created')).data).toMatchObject({ id: made.id, title: made.title });
  live.close();
});

test('a vote on a post arrives at those who follow the board, one on a comment at those who follow the post', async () => {
  const thread = await post(anna, talk);
  const made = await comment(anna, thread);
  const [onBoard, onPost] = [await ben.live([`board/${talk.id}`]), await ben.live([`post/${thread.id}`])];
  await anna.api.castVote({ item: made.id, body: { value: 'agree' } });
  await anna.api.castVote({ item: thread.id, body: { value: 'agree' } });
  expect((await onBoard.next('vote.cast')).data.item_id).toBe(thread.id);
  expect((await onPost.next('vote.cast')).data.item_id).toBe(made.id);
  expect((await onPost.next('vote.cast')).data.item_id).toBe(thread.id);
  for (const live of [onBoard, onPost]) live.close();
});

test('a vote that is cast again as it stands is not told again', async () => {
  const thread = await post(anna, talk);
  const live = await anna.live([`post/${thread.id}`]);
  for (const value of ['agree', 'agree', 'agree'] as const) await ben.api.castVote({ item: thread.id, body: { value } });
  for (let twice = 0; twice < 2; twice++) await ben.api.withdrawVote({ item: thread.id });
  await comment(ben, thread, 'Well.');
  await live.next('comment.created');
  expect(live.events.map((event) => event.event)).toEqual(['vote.cast', 'vote.withdrawn', 'comment.created']);
  live.close();
});

test('a board that changes is told to those who follow it', async () => {
  const fresh = await board(scene.administrator);
  const live = await ben.live([`board/${fresh.id}`]);
  const { etag } = await scene.administrator.api.readBoard({ board: fresh.slug });
  await scene.administrator.api.changeBoard({ board: fresh.slug, body: { title: 'Another' }, ifMatch: etag! });
  expect((await live.next('board.changed')).data).toMatchObject({ id: fresh.id, title: 'Another' });
  live.close();
});

test('edits, deletions and votes arrive too', async () => {
  const thread = await post(anna, talk);
  const live = await ben.live([`post/${thread.id}`, `board/${talk.id}`]);
  const made = await comment(anna, thread);
  await anna.api.castVote({ item: made.id, body: { value: 'agree' } });
  const tally = (await live.next((event) => event.event.startsWith('vote.'))).data;
  expect(tally).toEqual({ item_id: made.id, agree_count: 1, disagree_count: 0, pass_count: 0 });
  const { etag } = await anna.api.readComment({ comment: made.id });
  await anna.api.changeComment({ comment: made.id, body: { body: 'Better.' }, ifMatch: etag! });
  expect((await live.next('comment.changed')).data).toMatchObject({ id: made.id, body: 'Better.' });
  await anna.api.deleteComment({ comment: made.id });
  const gone = (await live.next('comment.deleted')).data;
  expect(gone).toMatchObject({ id: made.id });
  expect(JSON.stringify(gone)).not.toContain('Better.');
  live.close();
});

test('who voted how is not told to others', async () => {
  const thread = await post(anna, talk);
  const live = await stranger(scene.server).live([`post/${thread.id}`, `board/${talk.id}`]);
  await ben.api.castVote({ item: thread.id, body: { value: 'disagree' } });
  const event = await live.next((each) => each.event.startsWith('vote.'));
  expect(JSON.stringify(event)).not.toContain(ben.id);
  expect(event.data).not.toHaveProperty('own');
  live.close();
});

test('a text is told to others without the vote of its author', async () => {
  const thread = await post(anna, talk);
  const made = await comment(anna, thread);
  for (const item of [thread.id, made.id]) await anna.api.castVote({ item, body: { value: 'agree' } });
  const live = await ben.live([`post/${thread.id}`, `board/${talk.id}`]);
  const { etag } = await anna.api.readPost({ post: thread.id });
  await anna.api.changePost({ post: thread.id, body: { title: 'Edited.' }, ifMatch: etag! });
  await anna.api.deleteComment({ comment: made.id });
  for (const event of [await live.next('post.changed'), await live.next('comment.deleted')])
    expect(event.data.tally).toEqual({ agree_count: 1, disagree_count: 0, pass_count: 0 });
  live.close();
});

test('only what one follows arrives', async () => {
  const [one, other] = [await post(anna, talk), await post(anna, talk)];
  const live = await ben.live([`post/${one.id}`]);
  await comment(anna, other, 'Elsewhere.');
  await comment(anna, one, 'Here.');
  expect(await seen(live, 1)).toEqual(['Here.']);
  expect(live.events.filter((event) => event.event.startsWith('comment.'))).toHaveLength(1);
  live.close();
});

test('what was missed in a break comes first afterwards, without a gap and without a repeat', async () => {
  const thread = await post(anna, talk);
  const first = await ben.live([`post/${thread.id}`]);
  await comment(anna, thread, '1');
  await comment(anna, thread, '2');
  expect(await seen(first, 2)).toEqual(['1', '2']);
  first.close();
  await comment(anna, thread, '3');
  await comment(anna, thread, '4');
  const second = await ben.live([`post/${thread.id}`], { lastEventId: first.lastEventId });
  await comment(anna, thread, '5');
  expect(await seen(second, 3)).toEqual(['3', '4', '5']);
  await sleep(100);
  expect(second.events).toHaveLength(3);
  second.close();
});

test('a text that was deleted in a break is not told any more, only that it was', async () => {
  const thread = await post(anna, talk);
  const first = await ben.live([`post/${thread.id}`]);
  await comment(anna, thread, 'Before.');
  await first.next('comment.created');
  first.close();
  const witness = await anna.live([`post/${thread.id}`]);
  const regretted = await comment(anna, thread, 'My address is 12 Mill Lane.');
  const { etag } = await anna.api.readComment({ comment: regretted.id });
  await anna.api.changeComment({ comment: regretted.id, ifMatch: etag!, body: { body: 'My address is 12 Mill Lane, upstairs.' } });
  await comment(anna, thread, 'After.');
  await anna.api.deleteComment({ comment: regretted.id });
  await witness.next('comment.deleted');
  witness.close();
  const second = await ben.live([`post/${thread.id}`], { lastEventId: first.lastEventId });
  const deletion = await second.next('comment.deleted');
  expect(deletion.data.id).toBe(regretted.id);
  expect(second.events.map((event) => event.event)).toEqual(['comment.created', 'comment.deleted']);
  expect(JSON.stringify(second.events)).not.toContain('Mill Lane');
  second.close();
});

test('whoever was told of nothing yet misses nothing in a break either', async () => {
  const thread = await post(anna, talk);
  const first = await ben.live([`post/${thread.id}`]);
  for (const until = Date.now() + 10_000; !first.lastEventId && Date.now() < until;) await sleep(5);
  expect(first.lastEventId).toBeTruthy();
  first.close();
  await comment(anna, thread, 'Meanwhile.');
  const second = await ben.live([`post/${thread.id}`], { lastEventId: first.lastEventId });
  expect(await seen(second, 1)).toEqual(['Meanwhile.']);
  second.close();
});

test('breaks at any moment while others write leave each event seen exactly once and in order', async () => {
  const thread = await post(anna, talk);
  const count = 60;
  let lastEventId: string | undefined;
  const bodies: string[] = [];
  let live = await ben.live([`post/${thread.id}`]);
  const writing = (async () => {
    for (let index = 0; index < count; index++) await comment(anna, thread, String(index));
  })();
  while (bodies.length < count) {
    const event = await live.next('comment.created');
    bodies.push(String(event.data.body));
    lastEventId = event.id;
    if (bodies.length % 7 !== 0) continue;
    live.close();
    live = await ben.live([`post/${thread.id}`], { lastEventId });
  }
  await writing;
  live.close();
  expect(bodies).toEqual(Array.from({ length: count }, (_, index) => String(index)));
});

test('whoever starts to follow sees what comes, not what was', async () => {
  const thread = await post(anna, talk);
  await comment(anna, thread, 'Before.');
  await sleep(300);
  const live = await ben.live([`post/${thread.id}`]);
  await comment(anna, thread, 'After.');
  expect(await seen(live, 1)).toEqual(['After.']);
  live.close();
});

/** A server that is started again while somebody follows, and what was voted there before that. */
async function acrossRestart(votes: number): Promise<{ live: Live; thread: Post; author: Person; end: () => Promise<void> }> {
  const place = new Place();
  const before = await Server.start({ place });
  const admin = await member(before);
  const thread = await post(admin, await board(admin));
  const first = await admin.live([`post/${thread.id}`]);
  await comment(admin, thread, 'Before.');
  await first.next('comment.created');
  const { lastEventId } = first;
  first.close();
  for (let index = 0; index < votes; index++) await admin.api.castVote({ item: thread.id, body: { value: index % 2 ? 'agree' : 'pass' } });
  const regretted = await comment(admin, thread, 'Regretted.');
  await admin.api.deleteComment({ comment: regretted.id });
  await comment(admin, thread, 'Missed.');
  await before.stop();
  const after = await Server.start({ place });
  const author = admin.at(after);
  const live = await author.live([`post/${thread.id}`], { lastEventId });
  const end = async (): Promise<void> => {
    live.close();
    await after.stop();
    place.remove();
  };
  return { live, thread, author, end };
}

test('what was missed comes first even when the server was started again meanwhile', async () => {
  const { live, thread, author, end } = await acrossRestart(3);
  await comment(author, thread, 'After.');
  const events = [];
  while (events.length < 6) events.push(await live.next());
  expect(events.map((event) => (event.event === 'comment.created' ? event.data.body : event.event))).toEqual([
    'vote.cast',
    'vote.cast',
    'vote.cast',
    'comment.deleted',
    'Missed.',
    'After.',
  ]);
  await end();
});

test('whoever missed more than can be given is told to load again, and then sees what comes', async () => {
  const { live, thread, author, end } = await acrossRestart(1100);
  expect((await live.next()).event).toBe('reset');
  await comment(author, thread, 'After.');
  expect(await seen(live, 1)).toEqual(['After.']);
  await end();
}, 60_000);

test.each(['x', '-1', '99999999999999999999', 'forum:999999999', 'null', '1.2.3.4', '; DROP TABLE log', 'é'])(
  'a last event “%s” that nobody gave out is refused, or answered by a reset',
  async (lastEventId) => {
    const answer = await ben
      .live([`post/${topic.id}`], { lastEventId: Buffer.from(lastEventId).toString('latin1') })
      .catch((error: { answer?: Answer }) => {
        if (!error.answer) throw error;
        return error.answer;
      });
    if ('status' in answer) return void expect([400, 422]).toContain(answer.status);
    await comment(anna, topic, 'Are you there?');
    expect((await answer.next(() => true)).event).toMatch(/^(reset|comment\.created)$/);
    answer.close();
  },
);

test('a position of another past, ahead of all that there is, is answered by a reset', async () => {
  const before = await ben.live([`post/${topic.id}`]);
  await comment(anna, topic);
  const { id } = await before.next('comment.created');
  before.close();
  const live = await ben.live([`post/${topic.id}`], { lastEventId: id.replace(/forum:\d+/, 'forum:9999999999') });
  expect((await live.next()).event).toBe('reset');
  await comment(anna, topic, 'From now on.');
  expect(await seen(live, 1)).toEqual(['From now on.']);
  live.close();
});

test.each([
  '',
  '?topic=',
  '?topic=,',
  '?topic=a%20blank',
  '?topic=post/%01',
  '?topic=b%C3%B6rd',
  `?topic=${'x'.repeat(121)}`,
  `?topic=${'x,'.repeat(601)}`,
])('a topic “%s” that does not fit is refused, and the answer points at it', async (query) => {
  expectWrong(await refusal(query), 'query/topic');
});

test('a topic that nobody speaks on is silent, whatever it is called', async () => {
  const live = await ben.live(['account/../secret', `post/${randomUUID()}`]);
  await comment(anna, topic);
  await sleep(200);
  expect(live.events).toEqual([]);
  live.close();
});

test('one channel follows 20 topics, and not one more', async () => {
  const topics = Array.from({ length: 20 }, () => `post/${randomUUID()}`);
  topics[19] = `post/${topic.id}`;
  const live = await ben.live(topics);
  const made = await comment(anna, topic);
  expect((await live.next('comment.created')).data.id).toBe(made.id);
  live.close();
  expectWrong(await refusal(`?topic=${[...topics, `board/${talk.id}`].join(',')}`), 'query/topic');
});

test('a channel that is opened with a bad token is refused', async () => {
  const answer = await stranger(scene.server).ask('GET', `/api/v1/live?topic=post/${topic.id}`, {
    headers: { Authorization: 'Bearer garbage' },
  });
  expectProblem(answer, 401, 'unauthenticated');
});

test('signing out ends the live channels of that device at once, and no others', async () => {
  const person = await member(scene.server);
  const phone = await person.elsewhere('a phone');
  const [gone, stays] = [await phone.live([`post/${topic.id}`]), await person.live([`post/${topic.id}`])];
  await person.api.endSession({ session: phone.signedIn!.session });
  await gone.untilEnded(20_000);
  const made = await comment(anna, topic, 'Who is still there?');
  expect((await stays.next('comment.created')).data.id).toBe(made.id);
  stays.close();
});

test('a channel ends with the token that it was opened with', async () => {
  const person = await member(scene.server);
  const { header, claims } = takeApart(person.token);
  const exp = Math.floor(Date.now() / 1000) + 3;
  const key = signingKey(scene.server.place.data, String(header.kid));
  const token = putTogether(header, { ...claims, exp }, withEs256(key));
  const live = await Live.open(scene.server, [`post/${topic.id}`], { token });
  await live.untilEnded(10_000);
  expect(Date.now()).toBeGreaterThanOrEqual(exp * 1000);
});

test('a member and a stranger have so many channels at once; one that is closed makes room for another', async () => {
  const server = await Server.start({
    set: { 'gateway.limit_scale': '100', 'gateway.live_per_person': '2', 'gateway.live_per_address': '3' },
  });
  for (const [reader, most] of [
    [await member(server), 2],
    [stranger(server), 3],
  ] as const) {
    const open: Live[] = [];
    while (open.length < most) open.push(await reader.live([`post/${topic.id}`]));
    const refused = await reader.ask('GET', `/api/v1/live?topic=post/${topic.id}`);
    expectProblem(refused, 429, 'rate_limited');
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    open.pop()!.close();
    open.push(await reopened(() => reader.live([`post/${topic.id}`])));
    for (const live of open) live.close();
  }
  await server.stop();
});

test('a server has so many channels at once, whoever has them', async () => {
  const server = await Server.start({ set: { 'gateway.live_max': '2' } });
  const open = [await stranger(server).live([`post/${topic.id}`]), await stranger(server).live([`post/${topic.id}`])];
  const refused = await stranger(server).ask('GET', `/api/v1/live?topic=post/${topic.id}`);
  expectProblem(refused, 503, 'busy');
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  open.pop()!.close();
  open.push(await reopened(() => stranger(server).live([`post/${topic.id}`])));
  for (const live of open) live.close();
  await server.stop();
});

/** The server hears a moment later that a channel was closed. */
async function reopened(open: () => Promise<Live>): Promise<Live> {
  for (const until = Date.now() + 5000; Date.now() < until; await sleep(20)) {
    const live = await open().catch(() => undefined);
    if (live) return live;
  }
  throw new Error('A channel that was closed made no room for another within 5 s.');
}
