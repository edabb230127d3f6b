// write_group_ratio_sqlite and write_ratio_postgres: durable posts over HTTP from 64 clients, over what the disk does with one
// commit per write, and over pgbench with the same statements.
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Place } from '../harness/server.ts';
import { compare, loadAll, output } from './measure.ts';
import { whole, type Figure } from './report.ts';
import { addBoard, BOARD, makePlace, openScene, settle, type Scene } from './scene.ts';

const run = promisify(execFile);

function posting(scene: Scene, seconds: number): () => Promise<number> {
  return async () => {
    const words = ['post', scene.person.token, `/api/v1/boards/${BOARD}/posts`];
    const { rate } = await loadAll({ url: scene.url, words, seconds });
    await settle(scene);
    return rate;
  };
}

export async function writesOnSqlite(quick: boolean): Promise<Figure> {
  const seconds = quick ? 1 : 3;
  const [place, other] = [await makePlace(), await makePlace()];
  addBoard(other);
  const scene = await openScene(place);
  const oneByOne = async (): Promise<number> => Number(await output('commit', join(other.data, 'forum.sqlite'), BOARD, seconds));
  const compared = await compare(5, posting(scene, seconds), oneByOne);
  await scene.server.stop();
  place.remove();
  other.remove();
  return {
    name: 'write_group_ratio_sqlite',
    value: compared.ratio,
    beside: `${whole(compared.ours)} posts/s, one commit each ${whole(compared.theirs)}/s`,
  };
}

/** The statements of create_post, with texts of the same length. */
function pgbenchScript(): string {
  const id = '0193c0de-0000-7000-8000-000000000000';
  const title = 'A title that tells what it is about 00000001';
  const body = 'A post of the usual length: somebody has seen something, says what it was and what to do about it. '.repeat(3).slice(0, 292);
  const time = '2026-11-21T12:00:00.000000Z';
  const common = { title, body, created_at: time, moderation: 'accepted' };
  const data = JSON.stringify({ id, board: id, root: id, depth: 0, author: id, ...common });
  const tally = { agree_count: 0, disagree_count: 0, pass_count: 0 };
  const live = JSON.stringify({ id, board_id: id, board_slug: BOARD, author: { id, name: 'administrator' }, ...common, comment_count: 0, tally });
  const item = '(id, board_id, root_id, parent_id, depth, author_id, title, body, created_at, moderation, version)';
  const log = '(id, type, record, version, node, scope, actor, subject, time, schema, data, topics, live)';
  const statements = [
    'BEGIN ISOLATION LEVEL SERIALIZABLE',
    `SELECT id, kind, closed_at FROM forum.board WHERE slug = '${BOARD}'`,
    `INSERT INTO forum.item ${item} VALUES (gen_random_uuid(), '${id}', '${id}', NULL, 0, '${id}', '${title}', '${body}', 1, 1, 1)`,
    `INSERT INTO forum.log ${log} VALUES (gen_random_uuid(), 'post.created', '${id}', 1, '0123456789abcdef', 1, '${id}', '${id}', 1, 1, '${data}', 'board/${id} post/${id}', '${live}')`,
    'COMMIT',
  ];
  return statements.map((statement) => `${statement};\n`).join('');
}

async function pgbench(script: string, url: string, seconds: number): Promise<number> {
  const args = ['-n', '-c', '32', '-j', '2', '-M', 'prepared', '-T', String(seconds), '-f', script, '--max-tries=1000', url];
  const { stdout } = await run('pgbench', args);
  const tps = /^tps = ([\d.]+)/m.exec(stdout);
  if (!tps) throw new Error(`pgbench did not report:\n${stdout}`);
  return Number(tps[1]);
}

export async function writesOnPostgres(place: Place, cluster: string, quick: boolean): Promise<Figure> {
  const seconds = quick ? 1 : 3;
  const other = await makePlace(cluster);
  addBoard(other);
  const script = join(other.data, 'post.sql');
  writeFileSync(script, pgbenchScript());
  const scene = await openScene(place);
  const compared = await compare(3, posting(scene, seconds), () => pgbench(script, other.database!.url('forum'), seconds));
  await scene.server.stop();
  other.remove();
  return {
    name: 'write_ratio_postgres',
    value: compared.ratio,
    beside: `${whole(compared.ours)} posts/s, pgbench ${whole(compared.theirs)}/s`,
  };
}
