// What is measured: a server with the options that people get, but for the limits, on a database with a board and posts.
import { spawn, type ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { exchangeRaw } from '../harness/exchange.ts';
import type { Person } from '../harness/people.ts';
import { freePort, Place, runProgram, Server } from '../harness/server.ts';
import type { Board } from '../generated/api.ts';
import { QuickPerson } from './client.ts';
import { program } from './measure.ts';

export const BOARD = 'bench';
export const PASSWORD_MEMORY = 19 * 1024 * 1024;
export const PASSWORD_PASSES = 2;
export const cores = cpus().length;

/** The options of the tests are not those that people have: back to these. */
const OPTIONS = {
  'gateway.limit_scale': '0',
  'gateway.access_lines': 'errors',
  'identity.password_memory': String(PASSWORD_MEMORY),
  'identity.password_passes': String(PASSWORD_PASSES),
};

/** A data directory with its databases, migrated. With a cluster's address they are PostgreSQL's. */
export async function makePlace(cluster?: string): Promise<Place> {
  const place = new Place(OPTIONS, cluster);
  const outcome = await runProgram(['--data', place.data, 'migrate']);
  if (outcome.code !== 0) throw new Error(`The databases could not be made: ${outcome.stderr}`);
  return place;
}

/** A board made from outside, for the programs that a server's is compared with. */
export function addBoard(place: Place): void {
  const rest = `'${BOARD}', 'A board', '', 1, NULL, 1, NULL, 1)`;
  const columns = '(id, slug, title, description, kind, created_by, created_at, closed_at, version)';
  place.meddle('forum', {
    sqlite: `INSERT INTO board ${columns} VALUES (x'0193c0de000070008000000000000000', ${rest}`,
    postgres: `INSERT INTO board ${columns} VALUES ('0193c0de-0000-7000-8000-000000000000', ${rest};`,
  });
}

export interface Scene {
  server: Server;
  person: Person; // the administrator
  board: Board;
  url: string;
}

export async function openScene(place: Place): Promise<Scene> {
  const server = await Server.start({ place });
  const person = await new QuickPerson(server).signUp('administrator');
  const board = (await person.api.createBoard({ body: { slug: BOARD, title: 'A board', kind: 'discussion' } })).data;
  return { server, person, board, url: `http://127.0.0.1:${server.port}` };
}

/** Writes posts over HTTP; answers their ids. */
export async function addPosts({ server, person }: Scene, count: number): Promise<string[]> {
  const ids: string[] = [];
  const body = 'A post of the usual length: somebody has seen something, says what it was and asks the others what they think. '.repeat(3);
  const headers = { Authorization: `Bearer ${person.token}` };
  let next = 0;
  const write = async (): Promise<void> => {
    while (next < count) {
      const title = `A title that tells what it is about ${next++}`;
      const answer = await exchangeRaw(server, 'POST', `/api/v1/boards/${BOARD}/posts`, { headers, body: { title, body } });
      if (answer.status !== 201) throw new Error(`A post was refused: ${answer.text}`);
      ids.push(answer.json<{ id: string }>().id);
    }
  };
  await Promise.all(Array.from({ length: 64 }, write));
  return ids;
}

/** Waits until the server's readers have followed all that was written, so that they do not run into the next figure. */
export async function settle({ person }: Scene): Promise<void> {
  let last = -1;
  for (let quiet = 0; quiet < 3; ) {
    const { post_count: count } = (await person.api.readBoard({ board: BOARD })).data;
    quiet = count === last ? quiet + 1 : 0;
    last = count;
    await sleep(150);
  }
}

/** A file with the path of each id, for load.lua. */
export function pathsFile(place: Place, name: string, paths: string[]): string {
  const file = join(place.data, name);
  writeFileSync(file, paths.map((path) => `${path}\n`).join(''));
  return file;
}

/** The bare program on the same database. */
export class Bare {
  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
  ) {}

  static async start(database: string, memberId: string): Promise<Bare> {
    const port = await freePort();
    const child = spawn(program('bare'), [String(port), String(cores), memberId, database], { stdio: ['ignore', 'inherit', 'inherit'] });
    const url = `http://127.0.0.1:${port}`;
    process.once('exit', () => child.kill('SIGKILL'));
    for (let tries = 0; !(await answers(url)); tries++) {
      if (tries > 200 || child.exitCode !== null) throw new Error('The bare program does not answer.');
      await sleep(10);
    }
    return new Bare(child, url);
  }

  stop(): void {
    this.child.kill('SIGKILL');
  }
}

/** Whether there is an answer at all, whatever it says. */
export function answers(url: string): Promise<number> {
  return new Promise((resolve) => {
    const probe = httpRequest(url, { agent: false }, (response) => resolve((response.resume(), response.statusCode ?? 0)));
    probe.on('error', () => resolve(0)).end();
  });
}
