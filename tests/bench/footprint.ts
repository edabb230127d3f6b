// start_ms, rss_idle_mib, rss_1000_live_mib: what the server takes of a small machine.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { binary } from '../harness/paths.ts';
import { comment, post } from '../harness/people.ts';
import { freePort, type Place } from '../harness/server.ts';
import { Follower } from './client.ts';
import { median } from './measure.ts';
import type { Figure } from './report.ts';
import { addPosts, answers, makePlace, openScene, type Scene } from './scene.ts';

const LIVE = 1000;
const TOLD = 5; // comments

function residentMib(pid: number): number {
  const found = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(found![1]) / 1024;
}

async function startOnce(place: Place): Promise<number> {
  const port = await freePort();
  const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('FOLKMOOT_')));
  const begun = performance.now();
  const child = spawn(binary, ['--data', place.data, '--set', `gateway.listen=127.0.0.1:${port}`, 'serve'], { stdio: 'ignore', env: environment });
  const ended = new Promise((resolve) => child.once('close', resolve));
  while ((await answers(`http://127.0.0.1:${port}/readyz`)) !== 200) {
    if (child.exitCode !== null || child.signalCode !== null || performance.now() - begun > 20_000) throw new Error('The server did not start.');
    await sleep(1);
  }
  const took = performance.now() - begun;
  child.kill('SIGTERM');
  await ended;
  return took;
}

/** From its exec to the first answer that it is ready, on a data directory with everything in it. */
export async function start(place: Place): Promise<Figure> {
  const times: number[] = [];
  for (let round = 0; round < 7; round++) times.push(await startOnce(place));
  return { name: 'start_ms', value: median(times), beside: `${Math.min(...times).toFixed(0)} to ${Math.max(...times).toFixed(0)} ms` };
}

async function followAll(scene: Scene): Promise<Follower[]> {
  const thread = await post(scene.person, scene.board);
  const followers: Follower[] = [];
  for (let opened = 0; opened < LIVE; opened += 50) {
    followers.push(...(await Promise.all(Array.from({ length: 50 }, () => Follower.open(scene.server.port, `post/${thread.id}`)))));
  }
  for (let written = 0; written < TOLD; written++) await comment(scene.person, thread, `Comment ${written}.`);
  const until = performance.now() + 20_000;
  while (followers.some((follower) => follower.count < TOLD)) {
    if (performance.now() > until) throw new Error('Not every follower was told of every comment.');
    await sleep(20);
  }
  return followers;
}

export async function footprint(): Promise<Figure[]> {
  const place = await makePlace();
  const scene = await openScene(place);
  await addPosts(scene, 20);
  for (let read = 0; read < 20; read++) await scene.person.api.listPosts({ board: scene.board.slug });
  const idle = residentMib(scene.server.pid);
  const followers = await followAll(scene);
  const live = residentMib(scene.server.pid);
  for (const follower of followers) follower.close();
  await scene.server.stop();
  const begun = await start(place);
  place.remove();
  return [
    { name: 'rss_idle_mib', value: idle, beside: 'all modules, after a few requests' },
    { name: 'rss_1000_live_mib', value: live, beside: `${LIVE} followers of a thread, each told of ${TOLD} comments` },
    begun,
  ];
}
