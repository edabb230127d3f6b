// Importing a conversation: a small made one, with all that makes CSV difficult.
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { board, member, PASSWORD, stranger } from '../../harness/people.ts';
import { fixtures } from '../../harness/paths.ts';
import { readConversation } from '../../harness/polis.ts';
import { expectProblem } from '../../harness/problems.ts';
import { Place, runProgram, Server } from '../../harness/server.ts';
import { allPosts, expectShown, importArguments, importPolis } from '../../harness/transfer.ts';

const source = join(fixtures, 'polis');
const conversation = readConversation(source);

/** A copy of the conversation with one of its files changed. */
function changed(file: string, change: (lines: string[]) => (string | Buffer)[]): string {
  const folder = mkdtempSync(join(process.env.FOLKMOOT_TEST_SCRATCH ?? tmpdir(), 'polis-'));
  cpSync(source, folder, { recursive: true });
  const lines = readFileSync(join(folder, file), 'utf8').split('\n');
  writeFileSync(
    join(folder, file),
    Buffer.concat(change(lines).map((line, index) => Buffer.concat([Buffer.from(index ? '\n' : ''), Buffer.from(line)]))),
  );
  return folder;
}

async function withPlace(body: (place: Place) => Promise<void>): Promise<void> {
  const place = new Place();
  await body(place);
  place.remove();
}

async function serving(place: Place, body: (server: Server) => Promise<void>): Promise<void> {
  const server = await Server.start({ place });
  await body(server);
  await server.stop();
}

test('a conversation is imported into a fresh data directory, and the API shows it to the vote', () =>
  withPlace(async (place) => {
    const { stdout, stderr } = await importPolis(place, source, 'market');
    const lines = readFileSync(join(source, 'votes.csv'), 'utf8').split('\n').length - 1;
    expect(stdout + stderr).toMatch(new RegExp(`^lines of votes\\.csv: ${lines} of ${lines}, \\d+ per second$`, 'm'));
    await serving(place, async (server) => {
      const reader = stranger(server);
      await expectShown(reader, 'market', conversation);
      expect((await reader.api.readBoard({ board: 'market' })).data).toMatchObject({ title: 'The market, “ours”', kind: 'statements' });
    });
  }));

test('a conversation is imported while the server runs, which shows it without a restart and goes on', () =>
  withPlace(async (place) => {
    await serving(place, async (server) => {
      const admin = await member(server);
      await importPolis(place, source, 'market');
      await expectShown(admin, 'market', conversation);
      const open = (await admin.api.listUnvoted({ board: 'market', limit: 100 })).data.items;
      expect(open).toHaveLength([...conversation.statements.values()].filter((each) => each.moderated !== -1).length);
      const { data } = await admin.api.castVote({ item: open[0]!.id, body: { value: 'agree' } });
      expect(data.agree_count).toBe(open[0]!.tally.agree_count + 1);
    });
  }));

test('a second import changes nothing', () =>
  withPlace(async (place) => {
    await importPolis(place, source, 'market');
    let before: unknown;
    await serving(place, async (server) => {
      before = await allPosts(stranger(server), 'market');
    });
    await importPolis(place, source, 'market');
    await serving(place, async (server) => {
      expect(await allPosts(stranger(server), 'market')).toEqual(before);
      await expectShown(stranger(server), 'market', conversation);
    });
  }));

test('one conversation can be imported as two boards', () =>
  withPlace(async (place) => {
    await importPolis(place, source, 'one');
    await importPolis(place, source, 'two');
    await serving(place, async (server) => {
      await expectShown(stranger(server), 'one', conversation);
      await expectShown(stranger(server), 'two', conversation);
    });
  }));

test('who was imported cannot sign in, and does not keep others from becoming the administrator', () =>
  withPlace(async (place) => {
    await importPolis(place, source, 'market');
    await serving(place, async (server) => {
      const author = (await allPosts(stranger(server), 'market'))[0]!.author!;
      for (const password of ['', PASSWORD, author.name, author.id]) {
        const answer = await stranger(server).ask('POST', '/api/v1/sessions', { body: { name: author.name, password } });
        expect([401, 422]).toContain(answer.status);
      }
      expect((await member(server)).signedIn!.account.roles).toEqual(['administrator']);
      const taken = await stranger(server).ask('POST', '/api/v1/accounts', { body: { name: author.name, password: PASSWORD } });
      expect([409, 422]).toContain(taken.status);
    });
  }));

test('an import onto a board for discussion is refused', () =>
  withPlace(async (place) => {
    await serving(place, async (server) => {
      const talk = await board(await member(server), 'discussion');
      const outcome = await runProgram(importArguments(place, source, talk.slug));
      expect(outcome.code).not.toBe(0);
      expect(outcome.stderr).toContain(talk.slug);
    });
  }));

/** Changes one line, counted from 0. */
const at =
  (place: number, change: (line: string) => string) =>
  (lines: string[]): string[] =>
    lines.map((line, index) => (index === place ? change(line) : line));
/** Adds a line at the end. */
const add =
  (line: string | Buffer) =>
  (lines: string[]): (string | Buffer)[] => [...lines.slice(0, -1), line, ''];

const broken: [string, string, (lines: string[]) => (string | Buffer)[], RegExp][] = [
  ['a vote that is none', 'votes.csv', at(5, (line) => line.replace(/[^,]*$/, '2')), /votes\.csv:6\b/],
  ['a vote on an unknown statement', 'votes.csv', at(7, (line) => line.replace(/,\d+,(\d+),/, ',777,$1,')), /votes\.csv:8\b.*777/],
  ['a vote without its last column', 'votes.csv', at(3, (line) => line.replace(/,[^,]*$/, '')), /votes\.csv:4\b/],
  ['a time that is no number', 'votes.csv', at(2, (line) => line.replace(/^\d+/, 'yesterday')), /votes\.csv:3\b.*yesterday/],
  ['a time beyond all times', 'votes.csv', at(2, (line) => line.replace(/^\d+/, '99999999999999999999')), /votes\.csv:3\b/],
  ['a voter below zero', 'votes.csv', at(9, (line) => line.replace(/,\d+,(-?\d)$/, ',-4,$1')), /votes\.csv:10\b/],
  [
    'bytes that are no UTF-8',
    'comments.csv',
    add(Buffer.concat([Buffer.from('1500000000001,x,900,1,0,0,1,'), Buffer.from([0xff, 0xfe])])),
    /comments\.csv:\d+/,
  ],
  ['a quote that is never closed', 'comments.csv', add('1500000000001,x,900,1,0,0,1,"never closed'), /comments\.csv:\d+/],
  ['something behind a closing quote', 'comments.csv', add('1500000000001,x,900,1,0,0,1,"closed" and more'), /comments\.csv:\d+/],
  ['a statement without words', 'comments.csv', add('1500000000001,x,900,1,0,0,1,'), /comments\.csv:\d+/],
  ['a statement of blanks', 'comments.csv', add('1500000000001,x,900,1,0,0,1,"  "'), /comments\.csv:\d+/],
  ['a moderation that is none', 'comments.csv', add('1500000000001,x,900,1,0,0,9,Words'), /comments\.csv:\d+/],
];

test.each(broken)('%s stops the import before anything is written, and its file and line are named', (_, file, change, named) =>
  withPlace(async (place) => {
    const outcome = await runProgram(importArguments(place, changed(file, change), 'market'));
    expect(outcome.code).not.toBe(0);
    expect(outcome.stderr).toMatch(named);
    expect(outcome.stderr).toMatch(/--broken skip/);
    await serving(place, async (server) => {
      expectProblem(await stranger(server).ask('GET', '/api/v1/boards/market'), 404, 'not_found');
    });
  }),
);

test.each(broken)('%s is named and passed over when asked for, and the rest is imported', (_, file, change, named) =>
  withPlace(async (place) => {
    const { stdout, stderr } = await importPolis(place, changed(file, change), 'market', '--broken', 'skip');
    expect(stdout + stderr).toMatch(namedApart(named));
    await serving(place, async (server) => {
      const { data } = await stranger(server).api.readBoard({ board: 'market' });
      expect(data.post_count).toBe(conversation.statements.size);
      const votes = data.agree_count + data.disagree_count + data.pass_count;
      expect(conversation.standing.size - votes).toBeLessThanOrEqual(1);
    });
  }),
);

/** In a log line the file and the line stand in fields of their own. */
function namedApart(named: RegExp): RegExp {
  const [, file, line] = /^(\w+)\\\.csv:(\\d\+|\d+)/.exec(named.source)!;
  return new RegExp(`${file}\\.csv\\W+(line\\W+)?${line}\\b`);
}

test.each(['comments.csv', 'votes.csv'])(
  'a %s without one of its columns stops the import whatever was asked for, and the column is named',
  (file) =>
    withPlace(async (place) => {
      const source = changed(file, (lines) => [lines[0]!.replace('comment-id', 'comment'), ...lines.slice(1)]);
      for (const mode of ['stop', 'skip']) {
        const outcome = await runProgram(importArguments(place, source, 'market', '--broken', mode));
        expect(outcome.code).not.toBe(0);
        expect(outcome.stderr).toMatch(new RegExp(`${file.replace('.', '\\.')}.*comment-id`));
      }
    }),
);

test('columns may stand in another order, with others between, and lines may end in CR LF', () =>
  withPlace(async (place) => {
    const source = changed('votes.csv', (lines) => lines.map((line) => (line ? `${line.split(',').reverse().join(',')},more\r` : line)));
    await importPolis(place, source, 'market');
    await serving(place, (server) => expectShown(stranger(server), 'market', conversation));
  }));

test.each([
  ['a folder that is not there', '/nowhere/at/all', 'market', /\/nowhere\/at\/all/],
  ['a board name with capitals', join(fixtures, 'polis'), 'Market', /--board/],
  ['a board name with a path', join(fixtures, 'polis'), '../market', /--board/],
])('an import of %s is refused with what to do', (_, from, name, said) =>
  withPlace(async (place) => {
    const outcome = await runProgram(importArguments(place, from, name));
    expect(outcome.code).not.toBe(0);
    expect(outcome.stderr).toMatch(said);
  }),
);
