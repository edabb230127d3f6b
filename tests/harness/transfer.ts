// Importing and exporting conversations, and comparing what the API shows with what the files said.
import { expect } from 'vitest';
import type { Post } from '../generated/api.ts';
import { boardWhen, type Person } from './people.ts';
import { type Conversation, tallies, totals, voters } from './polis.ts';
import { type Outcome, type Place, runProgram } from './server.ts';

export const importArguments = (place: Place, source: string, board: string, ...more: string[]): string[] => [
  '--data',
  place.data,
  'import',
  'polis',
  source,
  '--board',
  board,
  ...more,
];

/** Imports and expects that to succeed. */
export async function importPolis(place: Place, source: string, board: string, ...more: string[]): Promise<Outcome> {
  const outcome = await runProgram(importArguments(place, source, board, ...more));
  expect(outcome.code, outcome.stderr).toBe(0);
  return outcome;
}

/** Exports and expects that to succeed. */
export async function exportPolis(place: Place, board: string, out: string): Promise<void> {
  const outcome = await runProgram(['--data', place.data, 'export', 'polis', '--board', board, out]);
  expect(outcome.code, outcome.stderr).toBe(0);
}

export async function allPosts(reader: Person, board: string): Promise<Post[]> {
  const posts: Post[] = [];
  let cursor: string | undefined;
  do {
    const { data } = await reader.api.listPosts({ board, limit: 100, cursor });
    posts.push(...data.items);
    cursor = data.next;
  } while (cursor);
  return posts;
}

const moderation = { 1: 'accepted', 0: 'waiting', '-1': 'rejected' } as const;

/** The board shows the conversation, each statement of it, to the vote. */
export async function expectShown(reader: Person, board: string, conversation: Conversation): Promise<void> {
  const tallyOf = tallies(conversation);
  const expected = [...conversation.statements.values()].map((statement) => {
    const counts = tallyOf.get(statement.number)!;
    return {
      title: statement.body,
      created_at: new Date(statement.time).getTime(),
      moderation: moderation[String(statement.moderated) as keyof typeof moderation],
      tally: { agree_count: counts.agree, disagree_count: counts.disagree, pass_count: counts.pass },
    };
  });
  const shown = (await allPosts(reader, board)).map(({ title, created_at, moderation: state, tally }) => ({
    title,
    created_at: new Date(created_at).getTime(),
    moderation: state,
    tally,
  }));
  const order = (one: { created_at: number; title: string }, other: { created_at: number; title: string }): number =>
    one.created_at - other.created_at || (one.title < other.title ? -1 : 1);
  expect(shown.sort(order)).toEqual(expected.sort(order));
  const sum = totals(conversation);
  const want = {
    post_count: expected.length,
    votable_count: expected.filter((statement) => statement.moderation !== 'rejected').length,
    voter_count: voters(conversation),
    agree_count: sum.agree,
    disagree_count: sum.disagree,
    pass_count: sum.pass,
  };
  const data = await boardWhen(
    reader,
    board,
    (each) => Object.entries(want).every(([name, value]) => each[name as keyof typeof want] === value),
    10_000,
  );
  expect(data).toMatchObject({ kind: 'statements', ...want });
}
