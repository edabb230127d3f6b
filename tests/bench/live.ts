// live_p95_ms: from sending a comment to its arrival at another client's live channel, while others read and write a little.
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { comment, post, type Person } from '../harness/people.ts';
import type { Post } from '../generated/api.ts';
import { Follower, QuickPerson } from './client.ts';
import { percentile } from './measure.ts';
import type { Figure } from './report.ts';
import { makePlace, openScene } from './scene.ts';

const SAMPLES = 200;
const MOST_MS = 5000;

/** About a hundred requests a second. */
async function readNow(person: Person, thread: Post, goesOn: () => boolean): Promise<void> {
  while (goesOn()) {
    await Promise.all([person.api.listComments({ post: thread.id, limit: 20 }), person.api.readPost({ post: thread.id })]);
    await person.api.castVote({ item: thread.id, body: { value: 'agree' } });
    await sleep(30);
  }
}

async function arrival(author: Person, thread: Post, follower: Follower): Promise<number> {
  const came = new Map<string | undefined, number>();
  follower.onEvent = ({ id }) => came.set(id, performance.now());
  const begun = performance.now();
  const written = await comment(author, thread);
  while (!came.has(written.id)) {
    if (performance.now() - begun > MOST_MS) throw new Error(`A comment was not seen within ${MOST_MS} ms.`);
    await sleep(1);
  }
  return came.get(written.id)! - begun;
}

export async function live(quick: boolean): Promise<Figure> {
  const place = await makePlace();
  const { server, person, board } = await openScene(place);
  const author = await new QuickPerson(server).signUp();
  const thread = await post(person, board);
  const follower = await Follower.open(server.port, `post/${thread.id}`);
  const times: number[] = [];
  const wanted = quick ? SAMPLES / 4 : SAMPLES;
  const others = readNow(await new QuickPerson(server).signUp(), await post(person, board), () => times.length < wanted);
  while (times.length < wanted) {
    times.push(await arrival(author, thread, follower));
    await sleep(5 + Math.random() * 10);
  }
  await others;
  follower.close();
  await server.stop();
  place.remove();
  return { name: 'live_p95_ms', value: percentile(times, 0.95), beside: `median ${percentile(times, 0.5).toFixed(1)} ms of ${times.length}` };
}
