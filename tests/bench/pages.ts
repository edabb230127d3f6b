// thread_page_flat: the time of a page of a thread among 1,000,000 comments over the same among 1,000, at the worst of several
// places: at the start, the middle and the end of the thread, of a level with very many replies, and down a long branch.
import { join } from 'node:path';
import { exchangeRaw } from '../harness/exchange.ts';
import { Server, type Place } from '../harness/server.ts';
import { loadAll, median, output } from './measure.ts';
import type { Figure } from './report.ts';
import { makePlace, pathsFile } from './scene.ts';

const SIZES = { few: 1000, many: 1_000_000 };
const PAGE = 'limit=20&depth=2';
const PATHS = 40; // different pages per place

interface Thread {
  place: Place;
  server: Server;
  files: Map<string, string>; // place in the thread → paths for load.lua
}

interface Ids {
  post: string;
  wide: string;
  deep: string;
}

/** The cursors of a level, from its first page to its last, so many comments apart; the first page has none. */
async function cursorsOf(server: Server, level: string, step: number): Promise<string[]> {
  const cursors = [''];
  for (;;) {
    const answer = await exchangeRaw(server, 'GET', `${level}&limit=${step}&depth=0${cursors[cursors.length - 1]}`, {});
    if (answer.status !== 200) throw new Error(`A page was refused: ${answer.text}`);
    const { next } = answer.json<{ next?: string }>();
    if (!next) return cursors;
    cursors.push(`&cursor=${encodeURIComponent(next)}`);
  }
}

/** Up to so many of them around a share of the level. The last page may be short, so none takes that. */
function around(cursors: string[], share: number): string[] {
  const whole = cursors.slice(0, Math.max(1, cursors.length - 1));
  const first = Math.round(Math.max(0, Math.min(whole.length - PATHS, whole.length * share - PATHS / 2)));
  return whole.slice(first, first + PATHS);
}

async function pagesOf(server: Server, ids: Ids, step: number): Promise<Map<string, string[]>> {
  const thread = `/api/v1/posts/${ids.post}/comments?${PAGE}`;
  const levels: [string, string][] = [['thread', `/api/v1/posts/${ids.post}/comments?`], ['wide', `/api/v1/posts/${ids.post}/comments?parent=${ids.wide}`]];
  const pages = new Map<string, string[]>([['deep', [`${thread}&parent=${ids.deep}`]]]);
  for (const [name, level] of levels) {
    const cursors = await cursorsOf(server, level, step);
    const parent = name === 'wide' ? `&parent=${ids.wide}` : '';
    for (const [where, share] of [['start', 0], ['middle', 0.5], ['end', 1]] as const)
      pages.set(`${name} ${where}`, around(cursors, share).map((cursor) => `${thread}${parent}${cursor}`));
  }
  return pages;
}

async function openThread(comments: number): Promise<Thread> {
  const place = await makePlace();
  const ids = JSON.parse(await output('fill', join(place.data, 'forum.sqlite'), comments)) as Ids;
  const server = await Server.start({ place });
  const files = new Map<string, string>();
  for (const [name, paths] of await pagesOf(server, ids, comments > SIZES.few ? 100 : 20)) files.set(name, pathsFile(place, name.replace(' ', '_'), paths));
  return { place, server, files };
}

async function pageMs(thread: Thread, where: string): Promise<number> {
  const words = ['read', '-', thread.files.get(where)!];
  return (await loadAll({ url: `http://127.0.0.1:${thread.server.port}`, words, connections: 1, threads: 1, seconds: 1 })).medianMs;
}

export async function pages(quick: boolean): Promise<Figure> {
  const few = await openThread(SIZES.few);
  const many = await openThread(quick ? SIZES.many / 10 : SIZES.many);
  const worst = { where: '', ratio: 0, few: 0, many: 0 };
  for (const where of few.files.keys()) {
    const pairs: [number, number][] = [];
    for (let round = 0; round < (quick ? 1 : 3); round++) pairs.push([await pageMs(few, where), await pageMs(many, where)]);
    const ratio = median(pairs.map(([one, other]) => other / one));
    if (ratio > worst.ratio) Object.assign(worst, { where, ratio, few: median(pairs.map(([one]) => one)), many: median(pairs.map(([, other]) => other)) });
  }
  for (const thread of [few, many]) {
    await thread.server.stop();
    thread.place.remove();
  }
  return { name: 'thread_page_flat', value: worst.ratio, beside: `worst: ${worst.where}, ${worst.many.toFixed(3)} ms, among few ${worst.few.toFixed(3)} ms` };
}
