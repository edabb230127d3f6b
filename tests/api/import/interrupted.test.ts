// An import that is killed at any moment and started again ends with the same rows.
import { setTimeout as sleep } from 'node:timers/promises';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { stranger } from '../../harness/people.ts';
import { type Conversation, readConversation } from '../../harness/polis.ts';
import { Place, runProgram, Server } from '../../harness/server.ts';
import { expectShown, exportPolis, importArguments, importPolis } from '../../harness/transfer.ts';

const STATEMENTS = 150;
const VOTERS = 300;

let source: string;
let conversation: Conversation;

// Long enough that there is something to interrupt.
beforeAll(() => {
  source = join(mkdtempSync(join(process.env.FOLKMOOT_TEST_SCRATCH ?? tmpdir(), 'polis-')), 'large');
  mkdirSync(source);
  const comments = Array.from(
    { length: STATEMENTS },
    (_, number) => `${1_500_000_000_000 + number},x,${number},${number % VOTERS},0,0,${(number % 3) - 1},Statement ${number}`,
  );
  const votes: string[] = [];
  for (let voter = 0; voter < VOTERS; voter++) {
    for (let number = 0; number < STATEMENTS; number++) {
      if ((voter * 31 + number * 17) % 3 === 0) continue;
      votes.push(`${1_500_000_100_000 + voter * 1000 + number},x,${number},${voter},${((voter + number) % 3) - 1}`);
      if ((voter + number) % 20 === 0) votes.push(`${1_500_000_900_000 + number},x,${number},${voter},1`);
    }
  }
  writeFileSync(
    join(source, 'comments.csv'),
    ['timestamp,datetime,comment-id,author-id,agrees,disagrees,moderated,comment-body', ...comments, ''].join('\n'),
  );
  writeFileSync(join(source, 'votes.csv'), ['timestamp,datetime,comment-id,voter-id,vote', ...votes, ''].join('\n'));
  conversation = readConversation(source);
});

/** Starts an import and ends it after so many ms; answers whether it was still at work. */
async function interrupted(place: Place, after: number, signal: NodeJS.Signals): Promise<boolean> {
  const outcome = await runProgram(importArguments(place, source, 'large'), {
    started: (child) => void sleep(after).then(() => child.kill(signal)),
  });
  if (outcome.code === 1) expect(outcome.stderr).toMatch(/start the same command again|again to go on/);
  return outcome.code !== 0;
}

test.each([
  ['killed', 'SIGKILL'],
  ['asked to stop', 'SIGTERM'],
] as const)(
  'an import that is %s again and again at other moments ends with the same rows',
  async (_, signal) => {
    const place = new Place();
    let cut = 0;
    for (const after of [15, 40, 80, 130, 200, 300, 420, 560]) if (await interrupted(place, after, signal)) cut++;
    expect(cut).toBeGreaterThan(1);
    await importPolis(place, source, 'large');
    const server = await Server.start({ place });
    await expectShown(stranger(server), 'large', conversation);
    await server.stop();
    const out = join(place.data, 'out');
    await exportPolis(place, 'large', out);
    const { standing } = readConversation(out);
    expect(standing.size).toBe(conversation.standing.size);
    const others = [...conversation.standing].filter(([key, vote]) => standing.get(key)?.value !== vote.value);
    expect(others.slice(0, 5)).toEqual([]); // a few are enough to see what is wrong
    place.remove();
  },
  120_000,
);

test('an import that is killed while the server runs does not disturb the server, and is finished beside it', async () => {
  const place = new Place();
  const server = await Server.start({ place });
  for (const after of [60, 150, 300]) {
    await interrupted(place, after, 'SIGKILL');
    expect((await stranger(server).ask('GET', '/api/v1/boards')).status).toBe(200);
  }
  await importPolis(place, source, 'large');
  await expectShown(stranger(server), 'large', conversation);
  await server.stop();
  place.remove();
}, 120_000);
