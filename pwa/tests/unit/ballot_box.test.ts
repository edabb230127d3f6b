import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Post } from '../../src/api/generated';
import { json, signedIn, stubBrowser, type Net } from './browser_stub';

let net: Net;
let box: import('../../src/store/ballot_box').BallotBox;
let entities: typeof import('../../src/store/entities');

const statement = (number: number, own?: 'agree'): Post => ({
  id: `s${number}`,
  board_id: 'b',
  board_slug: 'talk',
  title: `Statement ${number}`,
  body: '',
  created_at: '2026-01-01T00:00:00Z',
  moderation: 'accepted',
  comment_count: 0,
  tally: { agree_count: 0, disagree_count: 0, pass_count: 0, own },
});
const some = (from: number, count: number) =>
  json(200, { items: Array.from({ length: count }, (_, index) => statement(from + index)) });
const board = (voted_count: number, votable_count: number) => json(200, { slug: 'talk', voted_count, votable_count });
const tally = () => json(200, { agree_count: 1, disagree_count: 0, pass_count: 0, own: 'agree' });
const progress = () => {
  const { before, total, done } = box.state.value;
  return before === undefined ? undefined : [before + done.length, total];
};

beforeEach(async () => {
  net = stubBrowser().net;
  indexedDB.deleteDatabase('folkmoot');
  vi.resetModules();
  const session = await import('../../src/session/session');
  entities = await import('../../src/store/entities');
  session.startSession();
  session.begin(signedIn(1) as Parameters<typeof session.begin>[0]);
  box = new (await import('../../src/store/ballot_box')).BallotBox('talk');
});

describe('the statements to vote on', () => {
  it('are fetched by a bounded number of requests, and the board tells how far one is, however many there are', async () => {
    net.answers = [() => some(0, 20), () => board(3, 50_000), () => some(0, 100)];
    await box.load();
    expect(net.sent.map((request) => request.url)).toEqual([
      '/api/v1/boards/talk/unvoted?limit=20',
      '/api/v1/boards/talk',
      '/api/v1/boards/talk/unvoted?limit=100',
    ]);
    expect(progress()).toEqual([3, 50_000]);
    expect(box.state.value.queue).toHaveLength(100);
  });

  it('are not asked for again when all are at hand', async () => {
    net.answers = [() => some(0, 2), () => board(5, 7), tally, tally];
    await box.load();
    await box.vote('s0', 'agree');
    await box.vote('s1', 'agree');
    expect(progress()).toEqual([7, 7]);
    expect(net.sent.filter((request) => request.url.includes('unvoted'))).toHaveLength(1);
  });

  it('are counted once, also when the board counts the votes of this visit already', async () => {
    net.answers = [() => some(0, 3), () => board(0, 3), tally];
    await box.load();
    await box.vote('s0', 'agree');
    expect(progress()).toEqual([1, 3]);
    await vi.waitFor(() => expect(net.answers).toEqual([]));
    net.answers = [() => some(1, 3), () => board(1, 4)];
    await box.load();
    expect(progress()).toEqual([1, 4]);
  });

  it('count with the votes that wait to be sent', async () => {
    entities.keepPosts([statement(0), statement(1, 'agree'), { ...statement(9), board_slug: 'other' }]);
    entities.pendingVotes.set('s0', { value: 'agree' });
    entities.pendingVotes.set('s1', { value: 'pass' });
    entities.pendingVotes.set('s9', { value: 'agree' });
    net.answers = [() => some(2, 1), () => board(1, 3)];
    await box.load();
    expect(progress()).toEqual([2, 3]);
  });

  it('show no progress when the board did not tell', async () => {
    net.answers = [() => some(0, 2), () => undefined];
    await box.load();
    expect(progress()).toBeUndefined();
    expect(box.state.value.queue).toEqual(['s0', 's1']);
  });
});
