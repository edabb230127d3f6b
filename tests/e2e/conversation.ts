// The conversation that the walk imports, counted from its files: the real one where it is, else the small one of the fixtures.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fixtures, polisData } from '../harness/paths.ts';

export interface Tally {
  agree: number;
  disagree: number;
  pass: number;
}

export interface Conversation {
  source: string;
  title: string;
  statements: number;
  open: number; // those that were not rejected
  voters: number;
  votes: Tally; // those that stand
  of: Map<string, Tally[]>; // by the text of the statement; two may have the same
}

/** Rows by their column names (RFC 4180). */
function readCsv(file: string): Record<string, string>[] {
  const rows: string[][] = [[]];
  const text = readFileSync(file, 'utf8').replace(/\r\n/g, '\n');
  const cell = /("(?:[^"]|"")*"|[^,\n]*)(,|\n|$)/gy;
  for (let match = cell.exec(text); match && match.index < text.length; match = cell.exec(text)) {
    const [, raw = '', end] = match;
    rows[rows.length - 1]!.push(raw.startsWith('"') ? raw.slice(1, -1).replaceAll('""', '"') : raw);
    if (end === '\n') rows.push([]);
  }
  const [names = [], ...rest] = rows.filter((row) => row.length > 0 && row.join('') !== '');
  return rest.map((row) => Object.fromEntries(names.map((name, at) => [name, row[at] ?? ''])));
}

const WORDS: Record<string, keyof Tally> = { '1': 'agree', '-1': 'disagree', '0': 'pass' };

/** The vote of each person on each statement with the newest time; of two at the same time the later row. */
function standing(rows: Record<string, string>[]): Map<string, { statement: string; voter: string; word: keyof Tally }> {
  const votes = new Map<string, { statement: string; voter: string; word: keyof Tally; time: number }>();
  for (const row of rows) {
    const [statement, voter, time] = [row['comment-id']!, row['voter-id']!, Number(row.timestamp)];
    const before = votes.get(`${statement} ${voter}`);
    if (!before || time >= before.time) votes.set(`${statement} ${voter}`, { statement, voter, time, word: WORDS[row.vote!]! });
  }
  return votes;
}

export function conversation(): Conversation {
  const real = polisData();
  const source = real ? join(real, 'vtaiwan.uberx') : join(fixtures, 'polis');
  const comments = readCsv(join(source, 'comments.csv'));
  const votes = [...standing(readCsv(join(source, 'votes.csv'))).values()];
  const tallies = new Map(comments.map((row) => [row['comment-id']!, { agree: 0, disagree: 0, pass: 0 }]));
  const sum: Tally = { agree: 0, disagree: 0, pass: 0 };
  for (const { statement, word } of votes) {
    tallies.get(statement)![word]++;
    sum[word]++;
  }
  const of = new Map<string, Tally[]>();
  for (const row of comments) {
    const text = row['comment-body']!.replace(/\s+/g, ' ').trim();
    of.set(text, [...(of.get(text) ?? []), tallies.get(row['comment-id']!)!]);
  }
  const topic = readFileSync(join(source, 'summary.csv'), 'utf8').split('\n').find((line) => line.startsWith('topic,'));
  return {
    source,
    title: topic?.slice('topic,'.length).trim().replace(/^"|"$/g, '') ?? 'conversation',
    statements: comments.length,
    open: comments.filter((row) => row.moderated !== '-1').length,
    voters: new Set(votes.map((vote) => vote.voter)).size,
    votes: sum,
    of,
  };
}
