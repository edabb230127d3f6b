// Real conversations: imported and exported again, equal to the vote.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { polisData } from '../../harness/paths.ts';
import { readConversation, totals, voters } from '../../harness/polis.ts';
import { stranger } from '../../harness/people.ts';
import { Place, Server } from '../../harness/server.ts';
import { expectShown, exportPolis, importPolis } from '../../harness/transfer.ts';

const folder = polisData();
if (!folder)
  console.log('SKIPPED: The real conversations are not on this machine (FOLKMOOT_POLIS_DATA says where): their tests are skipped.');

// What the table in the README beside the data says.
const TABLE = [
  { name: 'vtaiwan.uberx', statements: 197, voters: 1921, agree: 31_029, disagree: 11_894, pass: 6520 },
  { name: 'scoop-hivemind.biodiversity', statements: 316, voters: 536, agree: 19_229, disagree: 5472, pass: 5018 },
];

describe.skipIf(!folder)('a real conversation', () => {
  test.each(TABLE)(
    '$name is imported, shown and exported to the vote',
    async (row) => {
      const source = join(folder!, row.name);
      const conversation = readConversation(source);
      expect(totals(conversation)).toEqual({ agree: row.agree, disagree: row.disagree, pass: row.pass });
      expect([conversation.statements.size, voters(conversation)]).toEqual([row.statements, row.voters]);

      const place = new Place();
      await importPolis(place, source, 'real');
      const server = await Server.start({ place });
      const reader = stranger(server);
      await expectShown(reader, 'real', conversation);
      const { data } = await reader.api.readBoard({ board: 'real' });
      expect(data).toMatchObject({
        post_count: row.statements,
        voter_count: row.voters,
        agree_count: row.agree,
        disagree_count: row.disagree,
        pass_count: row.pass,
      });

      const out = join(mkdtempSync(join(process.env.FOLKMOOT_TEST_SCRATCH ?? tmpdir(), 'export-')), 'out');
      await exportPolis(place, 'real', out);
      const again = readConversation(out);
      expect(again.standing).toEqual(conversation.standing);
      expect(again.statements).toEqual(conversation.statements);
      await server.stop();
      place.remove();
    },
    120_000,
  );
});
