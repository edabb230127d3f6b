// Running the programs that load or compare, and making one figure of several rounds.
import { execFile } from 'node:child_process';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { binary } from '../harness/paths.ts';

const run = promisify(execFile);
const script = fileURLToPath(new URL('load.lua', import.meta.url));

/** One of the bench_ programs, which are built beside the server. */
export const program = (name: string): string => resolve(dirname(binary), 'tests', `bench_${name}`);

/** Runs one of them; answers what it printed. */
export async function output(name: string, ...args: (string | number)[]): Promise<string> {
  const { stdout } = await run(program(name), args.map(String));
  return stdout.trim();
}

export interface Load {
  url: string;
  words: string[]; // for load.lua
  connections?: number;
  threads?: number;
  seconds: number; // whole ones
}

export interface Loaded {
  rate: number; // answers per second that were no refusals
  refused: number;
  medianMs: number;
}

/** Loads a server with wrk. Fails when connections broke: then the figure would mean nothing. */
export async function load({ url, words, connections = 64, threads = 2, seconds }: Load): Promise<Loaded> {
  const { stdout } = await run('wrk', [`-t${threads}`, `-c${connections}`, `-d${seconds}s`, '-s', script, url, '--', ...words]);
  const line = stdout.split('\n').find((text) => text.startsWith('{"answers"'));
  if (!line) throw new Error(`wrk did not report:\n${stdout}`);
  const report = JSON.parse(line) as { answers: number; seconds: number; refused: number; broken: number; median_us: number };
  if (report.broken > 0) throw new Error(`${report.broken} connections to ${url} broke under load.`);
  return { rate: (report.answers - report.refused) / report.seconds, refused: report.refused, medianMs: report.median_us / 1000 };
}

/** The same, where every answer has to be a good one. */
export async function loadAll(what: Load): Promise<Loaded> {
  const loaded = await load(what);
  if (loaded.refused > 0) throw new Error(`${loaded.refused} requests to ${what.url} (${what.words[0]}) were refused.`);
  return loaded;
}

export function percentile(values: number[], share: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

export const median = (values: number[]): number => percentile(values, 0.5);

export interface Compared {
  ratio: number; // the median of the rounds' ratios
  ours: number; // medians
  theirs: number;
}

/** Measures two sides in turns, each round in the other order, so that what the machine does besides meets both alike. */
export async function compare(rounds: number, ours: () => Promise<number>, theirs: () => Promise<number>): Promise<Compared> {
  const pairs: [number, number][] = [];
  for (let round = 0; round < rounds; round++) {
    if (round % 2 === 0) {
      const first = await ours();
      pairs.push([first, await theirs()]);
    } else {
      const first = await theirs();
      pairs.push([await ours(), first]);
    }
  }
  const [left, right] = [pairs.map((pair) => pair[0]), pairs.map((pair) => pair[1])];
  return { ratio: median(pairs.map(([one, other]) => one / other)), ours: median(left), theirs: median(right) };
}
