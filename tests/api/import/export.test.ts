// Exporting a conversation: the columns, ids and votes that stand come back as they went in.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { board, member, post, stranger } from '../../harness/people.ts';
import { fixtures } from '../../harness/paths.ts';
import { readConversation, readCsv, tallies } from '../../harness/polis.ts';
import { Place, runProgram, Server } from '../../harness/server.ts';
import { allPosts, expectShown, exportPolis, importPolis } from '../../harness/transfer.ts';

const source = join(fixtures, 'polis');

const scratch = (): string => join(mkdtempSync(join(process.env.FOLKMOOT_TEST_SCRATCH ?? tmpdir(), 'export-')), 'out');

test('an export gives back the statements and the votes that stand, with the columns and ids they came with', async () => {
  const place = new Place();
  const out = scratch();
  await importPolis(place, source, 'market');
  await exportPolis(place, 'market', out);
  expect(readdirSync(out).sort()).toEqual(['comments.csv', 'votes.csv']);
  const [before, after] = [readConversation(source), readConversation(out)];
  expect(after.statements).toEqual(before.statements);
  expect(after.standing).toEqual(before.standing);
  for (const file of ['comments.csv', 'votes.csv']) {
    const head = (folder: string): string => readFileSync(join(folder, file), 'utf8').split(/\r?\n/, 1)[0]!;
    expect(head(out)).toBe(head(source));
  }
  const rows = readCsv(readFileSync(join(out, 'votes.csv'), 'utf8'));
  expect(rows).toHaveLength(before.standing.size);
  const tallyOf = tallies(before);
  for (const row of readCsv(readFileSync(join(out, 'comments.csv'), 'utf8'))) {
    const tally = tallyOf.get(Number(row['comment-id']))!;
    expect([Number(row.agrees), Number(row.disagrees)]).toEqual([tally.agree, tally.disagree]);
    expect(row.datetime).toMatch(/^\w{3} \w{3} \d\d \d\d:\d\d:\d\d \w+ \d{4}$/);
  }
  place.remove();
});

test('what was exported can be imported again, and is the same conversation', async () => {
  const place = new Place();
  const out = scratch();
  await importPolis(place, source, 'market');
  await exportPolis(place, 'market', out);
  await importPolis(place, out, 'copy');
  const server = await Server.start({ place });
  await expectShown(stranger(server), 'copy', readConversation(source));
  await server.stop();
  place.remove();
});

test('a board with posts and votes of members is exported too, while the server runs, under numbers that stay', async () => {
  const place = new Place();
  const server = await Server.start({ place });
  const [anna, ben] = [await member(server), await member(server)];
  const statements = await board(anna, 'statements');
  const [one, two] = [await post(anna, statements, 'One, “the first”'), await post(ben, statements, 'Two')];
  await anna.api.castVote({ item: one.id, body: { value: 'agree' } });
  await ben.api.castVote({ item: one.id, body: { value: 'disagree' } });
  await ben.api.castVote({ item: two.id, body: { value: 'agree' } });
  await ben.api.castVote({ item: two.id, body: { value: 'pass' } });
  const [first, second] = [scratch(), scratch()];
  await exportPolis(place, statements.slug, first);
  const conversation = readConversation(first);
  expect([...conversation.statements.values()].map((each) => each.body).sort()).toEqual(['One, “the first”', 'Two']);
  expect([...conversation.standing.values()].map((vote) => vote.value).sort()).toEqual([-1, 0, 1]);
  await post(anna, statements, 'Three');
  await exportPolis(place, statements.slug, second);
  const later = readConversation(second);
  expect(later.statements.size).toBe(3);
  for (const [number, statement] of conversation.statements) expect(later.statements.get(number)).toEqual(statement);
  expect(later.standing).toEqual(conversation.standing);
  await server.stop();
  place.remove();
});

test('members may vote on an imported conversation, and the export has their votes beside the old ones', async () => {
  const place = new Place();
  await importPolis(place, source, 'market');
  const server = await Server.start({ place });
  const anna = await member(server);
  const item = (await allPosts(anna, 'market')).find((each) => each.moderation === 'accepted')!;
  await anna.api.castVote({ item: item.id, body: { value: 'pass' } });
  const out = scratch();
  await exportPolis(place, 'market', out);
  const [before, after] = [readConversation(source), readConversation(out)];
  expect(after.standing.size).toBe(before.standing.size + 1);
  for (const [key, vote] of before.standing) expect(after.standing.get(key)).toEqual(vote);
  await server.stop();
  place.remove();
});

test('an export of a board that is not there is refused, and so is one into a place that cannot be written to', async () => {
  const place = new Place();
  await importPolis(place, source, 'market');
  const nothing = await runProgram(['--data', place.data, 'export', 'polis', '--board', 'nothing', scratch()]);
  expect(nothing.code).not.toBe(0);
  expect(nothing.stderr).toContain('nothing');
  const file = join(place.data, 'a-file');
  writeFileSync(file, '');
  const refused = await runProgram(['--data', place.data, 'export', 'polis', '--board', 'market', join(file, 'out')]);
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toContain(file);
  place.remove();
});

test('an export that fails leaves nothing half-written behind', async () => {
  const place = new Place();
  await importPolis(place, source, 'market');
  const out = scratch();
  mkdirSync(join(out, 'votes.csv.part'), { recursive: true });
  const refused = await runProgram(['--data', place.data, 'export', 'polis', '--board', 'market', out]);
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toContain(join(out, 'votes.csv'));
  expect(readdirSync(out)).toEqual(['votes.csv.part']);
  place.remove();
});
