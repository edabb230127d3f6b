import { beforeEach, describe, expect, it, vi } from 'vitest';
import { json, problem, signedIn, stubBrowser, type Net } from './browser_stub';

let net: Net;
let outbox: typeof import('../../src/offline/outbox');
let session: typeof import('../../src/session/session');
let heard: string[];

async function start(signIn: boolean): Promise<void> {
  vi.resetModules();
  outbox = await import('../../src/offline/outbox');
  session = await import('../../src/session/session');
  session.startSession();
  if (signIn) session.begin(signedIn(1) as Parameters<typeof session.begin>[0]);
  heard = [];
  outbox.startOutbox({
    comment: (sent, comment) => heard.push(`comment ${sent.body} ${comment.id}`),
    post: (sent) => heard.push(`post ${sent.title}`),
    vote: (sent) => heard.push(`vote ${sent.value}`),
    refused: (sent, refusal) => heard.push(`refused ${sent.kind} ${refusal.problem.code}`),
  });
}

/** Until so many requests were sent. */
const sent = (count: number) => vi.waitFor(() => expect(net.sent).toHaveLength(count));
const made = () => json(201, { id: 'c1' });

beforeEach(async () => {
  net = stubBrowser().net;
  indexedDB.deleteDatabase('folkmoot');
  await start(true);
});

describe('the outbox', () => {
  it('sends what is put into it, and strikes it off', async () => {
    net.answers = [made];
    await outbox.put({ kind: 'comment', post: 'p', body: 'Hello' });
    await vi.waitFor(() => expect(outbox.outbox.value).toEqual([]));
    expect(heard).toEqual(['comment Hello c1']);
    expect(net.sent[0]).toMatchObject({ method: 'POST', url: '/api/v1/posts/p/comments', body: { body: 'Hello' } });
  });

  it('keeps what could not be sent through a restart, and sends it once, under the key of the first attempt', async () => {
    net.answers = [() => undefined];
    await outbox.put({ kind: 'comment', post: 'p', parent: 'c', body: 'Written offline' });
    await sent(1);
    expect(outbox.outbox.value).toHaveLength(1);

    net.answers = [() => json(200, signedIn(2)), made];
    await start(false);
    await outbox.flush();
    await vi.waitFor(() => expect(heard).toEqual(['comment Written offline c1']));
    const posts = net.sent.filter((request) => request.url.endsWith('/comments'));
    expect(posts.map((request) => request.key)).toEqual([posts[0]?.key, posts[0]?.key]);
    await outbox.flush();
    expect(net.sent.filter((request) => request.url.endsWith('/comments'))).toHaveLength(2);
  });

  it('sends only the last of several votes that waited', async () => {
    await outbox.put({ kind: 'vote', item: 'i', value: 'agree' });
    await sent(1);
    await outbox.put({ kind: 'vote', item: 'i', value: 'disagree' });
    await sent(2);
    expect(outbox.outbox.value.map((entry) => entry.kind === 'vote' && entry.value)).toEqual(['disagree']);
    net.answers = [() => json(200, { agree_count: 0, disagree_count: 1, pass_count: 0, own: 'disagree' })];
    await outbox.flush();
    expect(heard).toEqual(['vote disagree']);
    expect(net.sent.at(-1)).toMatchObject({ method: 'PUT', body: { value: 'disagree' } });
  });

  it('undoes a vote that the server refuses', async () => {
    net.answers = [() => problem(409, 'board_closed')];
    await outbox.put({ kind: 'vote', item: 'i', value: 'agree' });
    await vi.waitFor(() => expect(heard).toEqual(['refused vote board_closed']));
    expect(outbox.outbox.value).toEqual([]);
  });

  it('keeps a text that the server refuses until its author decides, and goes on with the rest', async () => {
    net.answers = [() => problem(409, 'board_closed'), made];
    await outbox.put({ kind: 'comment', post: 'closed', body: 'Too late' });
    await outbox.put({ kind: 'comment', post: 'open', body: 'In time' });
    await vi.waitFor(() => expect(heard).toEqual(['refused comment board_closed', 'comment In time c1']));
    const [refused] = outbox.outbox.value;
    expect(refused?.refused?.code).toBe('board_closed');

    net.answers = [made];
    await outbox.retry(refused!);
    await vi.waitFor(() => expect(outbox.outbox.value).toEqual([]));
    expect(net.sent[0]?.key).not.toBe(net.sent[2]?.key);
  });

  it('goes on behind what the server stumbles over, and waits while it takes nothing', async () => {
    net.answers = [() => problem(500, 'internal'), made];
    await outbox.put({ kind: 'comment', post: 'p', body: 'Stone' });
    await outbox.put({ kind: 'comment', post: 'p', body: 'Pebble' });
    await vi.waitFor(() => expect(heard).toEqual(['comment Pebble c1']));
    expect(outbox.outbox.value).toHaveLength(1);

    net.answers = [() => problem(503, 'busy')];
    await outbox.put({ kind: 'comment', post: 'p', body: 'Later' });
    await vi.waitFor(() => expect(outbox.putOff.value).toBe(true));
    expect(outbox.outbox.value).toHaveLength(2);
    net.answers = [made, made];
    await outbox.flush();
    expect(outbox.putOff.value).toBe(false);
    expect(outbox.outbox.value).toEqual([]);
  });

  it('is never sent in the name of another member', async () => {
    await outbox.put({ kind: 'comment', post: 'p', body: 'Mine' });
    await sent(1);
    await session.end(true);
    session.begin({
      ...(signedIn(2) as Parameters<typeof session.begin>[0]),
      account: { id: 'member-2', name: 'bela', tier: 'unverified', roles: [], created_at: '' },
    });
    net.answers = [made, made];
    await outbox.flush();
    expect(heard).toEqual([]);
    expect(outbox.outbox.value).toEqual([]);
    expect(net.sent.filter((request) => request.url.endsWith('/comments'))).toHaveLength(1);
  });
});
