// import_votes_per_s: the whole import of a conversation of 50,000 votes into a fresh data directory, on SQLite.
import { createReadStream, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { polisData } from '../harness/paths.ts';
import { runProgram, type Place } from '../harness/server.ts';
import { median } from './measure.ts';
import { whole, type Figure } from './report.ts';
import { makePlace } from './scene.ts';

const VOTERS = 1921, STATEMENTS = 197, VOTES = 49_997;

/** A made-up conversation of the size of the real one. */
function makeConversation(folder: string): string {
  const begin = 1_408_000_000_000;
  const comments = ['timestamp,datetime,comment-id,author-id,agrees,disagrees,moderated,comment-body'];
  const votes = ['timestamp,datetime,comment-id,voter-id,vote'];
  for (let id = 0; id < STATEMENTS; id++) {
    const time = begin + id * 60_000;
    comments.push(`${time},${new Date(time).toUTCString().replace(',', '')},${id},${id % VOTERS},0,0,1,"Statement ${id}, which says what somebody thinks."`);
  }
  for (let place = 0; place < VOTES; place++) {
    const time = begin + 20_000_000 + place * 1000;
    votes.push(`${time},${new Date(time).toUTCString().replace(',', '')},${(place * 7) % STATEMENTS},${(place * 13) % VOTERS},${(place % 3) - 1}`);
  }
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'comments.csv'), `${comments.join('\n')}\n`);
  writeFileSync(join(folder, 'votes.csv'), `${votes.join('\n')}\n`);
  return folder;
}

async function rowsOf(file: string): Promise<number> {
  let rows = -1; // the heading
  for await (const text of createInterface({ input: createReadStream(file) })) if (text) rows++;
  return rows;
}

async function importOnce(source: string): Promise<number> {
  const place: Place = await makePlace();
  const begun = performance.now();
  const outcome = await runProgram(['--data', place.data, 'import', 'polis', source, '--board', 'conversation']);
  const seconds = (performance.now() - begun) / 1000;
  if (outcome.code !== 0) throw new Error(`The import ended with ${outcome.code}:\n${outcome.stderr}`);
  place.remove();
  return seconds;
}

export async function conversation(quick: boolean): Promise<Figure> {
  const real = polisData() && join(polisData()!, 'vtaiwan.uberx');
  const scratch = process.env.FOLKMOOT_TEST_SCRATCH!;
  const source = real && existsSync(real) ? real : makeConversation(join(scratch, 'conversation'));
  const times: number[] = [];
  for (let round = 0; round < (quick ? 1 : 3); round++) times.push(await importOnce(source));
  const rows = await rowsOf(join(source, 'votes.csv'));
  const beside = `${whole(rows)} votes in ${median(times).toFixed(2)} s${source === real ? '' : ', made up: the real conversation is not here'}`;
  return { name: 'import_votes_per_s', value: rows / median(times), beside };
}
