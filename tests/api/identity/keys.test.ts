// The keys that sign tokens: changed while the server runs, without anybody noticing.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { member, type Person, stranger } from '../../harness/people.ts';
import { runProgram, Server } from '../../harness/server.ts';
import { type Jwk, takeApart } from '../../harness/tokens.ts';

const NOTICED_MS = 75_000; // a minute, as promised, and some more

const jwks = async (server: Server): Promise<Jwk[]> =>
  (await stranger(server).ask('GET', '/.well-known/jwks.json')).json<{ keys: Jwk[] }>().keys;
const keyOf = (person: Person): unknown => takeApart(person.token).header.kid;

/** Waits for a key to be published. */
async function published(server: Server, kid: string): Promise<void> {
  for (const until = Date.now() + NOTICED_MS; Date.now() < until; await sleep(250)) {
    if ((await jwks(server)).some((key) => key.kid === kid)) return;
  }
  throw new Error(`The key ${kid} was not published within ${NOTICED_MS} ms.`);
}

test('keys are rotated while the server runs: the new one is published and then signs, and tokens of either are good', async () => {
  const server = await Server.start();
  const early = await member(server);
  const { code, stdout, stderr } = await runProgram(['--data', server.place.data, 'keys', 'rotate']);
  expect(code, stderr).toBe(0);
  const kid = /key (\S+?):/.exec(stdout)![1]!;
  expect(kid).not.toBe(keyOf(early));
  await published(server, kid);
  expect(keyOf(await member(server))).toBe(keyOf(early));
  const late = await member(server);
  for (const until = Date.now() + NOTICED_MS; keyOf(late) !== kid && Date.now() < until; await sleep(500)) {
    late.signedIn = (await late.api.refreshSession({ body: { refresh_token: late.signedIn!.refresh_token } })).data;
  }
  expect(keyOf(late)).toBe(kid);
  for (const person of [early, late]) expect((await person.api.readAccount()).status).toBe(200);
  await server.stop();
}, 240_000);
