// A community that runs only some of the modules, and the commands that look after a data directory.
import { expect, test } from 'vitest';
import type { OpenApi } from '../../harness/document.ts';
import { board, known, member, stranger } from '../../harness/people.ts';
import { expectProblem } from '../../harness/problems.ts';
import { Place, runProgram, Server } from '../../harness/server.ts';

test('a module that is switched off answers 404 with a code, is not in the document, and comes back with all it had', async () => {
  const place = new Place();
  const whole = await Server.start({ place });
  const admin = await member(whole);
  const talk = await board(admin);
  await whole.stop();

  const part = await Server.start({ place, words: ['--modules', 'identity'] });
  const there = admin.at(part);
  expect((await there.api.readCommunity()).data.modules).toEqual(['identity']);
  for (const path of ['/api/v1/boards', `/api/v1/boards/${talk.slug}`, '/api/v1/posts/018f0000-0000-7000-8000-000000000000']) {
    expectProblem(await there.ask('GET', path), 404, 'module_disabled');
  }
  const paths = Object.keys((await stranger(part).ask('GET', '/openapi.json')).json<OpenApi>().paths);
  expect(paths).toContain('/api/v1/accounts');
  expect(paths.filter((path) => path.includes('/boards') || path.includes('/posts'))).toEqual([]);
  const late = await member(part);
  await part.stop();

  const again = await Server.start({ place });
  expect((await late.at(again).api.readBoard({ board: talk.slug })).data.id).toBe(talk.id);
  await again.stop();
  place.remove();
});

test('a module that there is not stops the start', async () => {
  const place = new Place();
  const outcome = await runProgram(['--data', place.data, 'serve', '--modules', 'identity,nonsense']);
  expect(outcome.code).not.toBe(0);
  expect(outcome.stderr).toContain('nonsense');
  place.remove();
});

test('every statement of every module fits the database', async () => {
  const place = new Place();
  const { code, stdout, stderr } = await runProgram(['--data', place.data, 'check']);
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/identity: \d+ statements[\s\S]*forum: \d+ statements/);
  place.remove();
});

test('the databases can be migrated before the server is started, and twice is as good as once', async () => {
  const place = new Place();
  for (let round = 0; round < 2; round++) expect((await runProgram(['--data', place.data, 'migrate'])).code).toBe(0);
  const server = await Server.start({ place });
  await member(server);
  await server.stop();
  place.remove();
});

test('members who signed up while the forum was off have their names there once it is on', async () => {
  const place = new Place();
  const part = await Server.start({ place, words: ['--modules', 'identity'] });
  const admin = await member(part);
  await part.stop();
  const whole = await Server.start({ place });
  const talk = await board(admin.at(whole));
  await known(admin.at(whole), talk);
  await whole.stop();
  place.remove();
});
