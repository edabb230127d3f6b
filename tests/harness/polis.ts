// A Polis conversation as the tests understand it: read from its files by rules of their own, to hold the program's reading against.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Statement {
  number: number;
  time: number; // ms
  author: number;
  moderated: number;
  body: string;
}

export interface Vote {
  time: number;
  value: number;
}

export interface Conversation {
  statements: Map<number, Statement>;
  standing: Map<string, Vote>; // by "statement/voter"
}

/** The records of an RFC 4180 file, by the names in its first line. */
export function readCsv(text: string): Record<string, string>[] {
  const records: string[][] = [];
  let fields: string[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;
  for (field.lastIndex = 0; field.lastIndex < text.length;) {
    const match = field.exec(text);
    if (!match) throw new Error(`The file is no CSV at character ${field.lastIndex}.`);
    fields.push(match[1] === undefined ? match[2]! : match[1].replaceAll('""', '"'));
    if (match[3] === ',') continue;
    records.push(fields);
    fields = [];
  }
  const [names, ...rows] = records;
  return rows.map((row) => Object.fromEntries(names!.map((name, index) => [name, row[index] ?? ''])));
}

export function readConversation(folder: string): Conversation {
  const statements = new Map<number, Statement>();
  for (const row of readCsv(readFileSync(join(folder, 'comments.csv'), 'utf8'))) {
    const number = Number(row['comment-id']);
    statements.set(number, {
      number,
      time: Number(row.timestamp),
      author: Number(row['author-id']),
      moderated: Number(row.moderated),
      body: row['comment-body']!,
    });
  }
  const standing = new Map<string, Vote>();
  for (const row of readCsv(readFileSync(join(folder, 'votes.csv'), 'utf8'))) {
    const key = `${row['comment-id']}/${row['voter-id']}`;
    const time = Number(row.timestamp);
    const before = standing.get(key);
    if (!before || time >= before.time) standing.set(key, { time, value: Number(row.vote) });
  }
  return { statements, standing };
}

export interface Counts {
  agree: number;
  disagree: number;
  pass: number;
}

function count(votes: Iterable<Vote>): Counts {
  const counts: Counts = { agree: 0, disagree: 0, pass: 0 };
  for (const vote of votes) counts[vote.value === 1 ? 'agree' : vote.value === -1 ? 'disagree' : 'pass']++;
  return counts;
}

export const totals = (conversation: Conversation): Counts => count(conversation.standing.values());
export const voters = (conversation: Conversation): number =>
  new Set([...conversation.standing.keys()].map((key) => key.split('/')[1])).size;

/** How each statement stands. */
export function tallies(conversation: Conversation): Map<number, Counts> {
  const votes = new Map<number, Vote[]>([...conversation.statements.keys()].map((number) => [number, []]));
  for (const [key, vote] of conversation.standing) votes.get(Number(key.split('/')[0]))?.push(vote);
  return new Map([...votes].map(([number, each]) => [number, count(each)]));
}
