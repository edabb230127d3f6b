// Sessions: renewed with refresh tokens that serve once, listed, ended.
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { SignedIn } from '../../generated/api.ts';
import { freshKey, member, PASSWORD, Person, stranger, type Person as Someone } from '../../harness/people.ts';
import { expectProblem, expectWrong } from '../../harness/problems.ts';
import { kind } from '../../harness/database.ts';
import { Place, Server } from '../../harness/server.ts';
import { world } from '../../harness/world.ts';

const scene = world();

const refresh = (token: string, key?: string) =>
  stranger(scene.server).ask('POST', '/api/v1/sessions/refresh', {
    body: { refresh_token: token },
    headers: key ? { 'Idempotency-Key': key } : {},
  });

/** The second that the design promises, and room for a busy machine; on PostgreSQL other tests of the cluster hold transactions open. */
const NOTICED_MS = kind === 'postgres' ? 20_000 : 4000;

/** Waits until the access token is refused. */
async function refused(person: Someone): Promise<void> {
  const until = Date.now() + NOTICED_MS;
  for (;;) {
    const answer = await person.ask('GET', '/api/v1/account');
    if (answer.status === 401) return void expectProblem(answer, 401, 'unauthenticated');
    if (Date.now() > until) throw new Error(`The access token was still good after ${NOTICED_MS} ms.`);
    await sleep(20);
  }
}

function with_(signedIn: SignedIn): Person {
  const person = new Person(scene.server);
  person.signedIn = signedIn;
  return person;
}

test('a refresh token gives new tokens of the same session', async () => {
  const person = await member(scene.server);
  const answer = await refresh(person.signedIn!.refresh_token);
  expect(answer.status).toBe(200);
  const renewed = answer.json<SignedIn>();
  expect(renewed.session).toBe(person.signedIn!.session);
  expect(renewed.refresh_token).not.toBe(person.signedIn!.refresh_token);
  expect((await with_(renewed).api.readAccount()).data.id).toBe(person.id);
});

test('tokens can be renewed many times over', async () => {
  const person = await member(scene.server);
  let token = person.signedIn!.refresh_token;
  for (let round = 0; round < 10; round++) token = (await refresh(token)).json<SignedIn>().refresh_token;
  expect((await person.api.listSessions()).data.items).toHaveLength(1);
});

test('a refresh token that comes a second time ends its session, and its access tokens within a second', async () => {
  const person = await member(scene.server);
  const renewed = (await refresh(person.signedIn!.refresh_token)).json<SignedIn>();
  expectProblem(await refresh(person.signedIn!.refresh_token), 401, 'session_ended');
  await Promise.all([refused(person), refused(with_(renewed))]);
  expectProblem(await refresh(renewed.refresh_token), 401, 'session_ended');
});

test("a stolen refresh token that was used ends one session and leaves the person's others alone", async () => {
  const person = await member(scene.server);
  const other = await person.elsewhere();
  await refresh(person.signedIn!.refresh_token);
  await refresh(person.signedIn!.refresh_token);
  await refused(person);
  expect((await other.api.listSessions()).data.items.map((session) => session.id)).toEqual([other.signedIn!.session]);
});

test('the same refresh sent again with its key gives the same answer and ends nothing', async () => {
  const person = await member(scene.server);
  const key = freshKey();
  const first = await refresh(person.signedIn!.refresh_token, key);
  const again = await refresh(person.signedIn!.refresh_token, key);
  expect(again.status).toBe(200);
  expect(again.json()).toEqual(first.json());
  expect((await person.api.readAccount()).status).toBe(200);
});

test('of ten that use one refresh token at once one succeeds at most, and the session is ended', async () => {
  const person = await member(scene.server);
  const answers = await Promise.all(Array.from({ length: 10 }, () => refresh(person.signedIn!.refresh_token)));
  expect(answers.filter((answer) => answer.status === 200)).toHaveLength(1);
  await refused(person);
});

test.each([
  ['made up', () => randomBytes(40).toString('base64url')],
  ['cut short', (token: string) => token.slice(0, -4)],
  ['changed in one place', (token: string) => token.slice(0, -8) + (token.at(-8) === 'A' ? 'B' : 'A') + token.slice(-7)],
  ['with something behind it', (token: string) => `${token}AAAA`],
])('a refresh token that is %s is refused and ends nothing', async (_, spoil) => {
  const person = await member(scene.server);
  const answer = await refresh(spoil(person.signedIn!.refresh_token));
  expect(answer.status).toBe(401);
  expect((await person.api.readAccount()).status).toBe(200);
  expect((await refresh(person.signedIn!.refresh_token)).status).toBe(200);
});

test('a refresh token of the wrong length points at the field', async () => {
  expectWrong(await refresh('short'), '/refresh_token');
  expectWrong(await refresh('r'.repeat(201)), '/refresh_token');
});

test('an access token is no refresh token and a refresh token is no access token', async () => {
  const person = await member(scene.server);
  const asAccess = await stranger(scene.server).ask('GET', '/api/v1/account', {
    headers: { Authorization: `Bearer ${person.signedIn!.refresh_token}` },
  });
  expectProblem(asAccess, 401, 'unauthenticated');
  const asRefresh = await refresh(person.token.slice(0, 200));
  expect(asRefresh.status).toBe(401);
});

test('the devices of an account are listed, latest used first, page by page', async () => {
  const person = await member(scene.server);
  const others: Person[] = [];
  for (const device of ['one', 'two', 'three', 'four']) others.push(await person.elsewhere(device));
  const devices: string[] = [];
  let cursor: string | undefined;
  do {
    const { data } = await others[3]!.api.listSessions({ limit: 2, cursor });
    expect(data.items.length).toBeLessThanOrEqual(2);
    devices.push(...data.items.map((session) => `${session.device}${session.current ? ' (this)' : ''}`));
    cursor = data.next;
  } while (cursor);
  expect(devices).toEqual(['four (this)', 'three', 'two', 'one', 'a test']);
});

test('a device that is signed out is refused within a second and vanishes from the list', async () => {
  const person = await member(scene.server);
  const phone = await person.elsewhere('a phone');
  expect((await person.api.endSession({ session: phone.signedIn!.session })).status).toBe(204);
  await refused(phone);
  expectProblem(await refresh(phone.signedIn!.refresh_token), 401, 'session_ended');
  expect((await person.api.listSessions()).data.items).toHaveLength(1);
});

test('one can sign out the device one is at', async () => {
  const person = await member(scene.server);
  await person.api.endSession({ session: person.signedIn!.session });
  await refused(person);
});

test("signing out everywhere ends every session of the account and no one else's", async () => {
  const person = await member(scene.server);
  const others = await Promise.all([person.elsewhere(), person.elsewhere()]);
  const neighbour = await member(scene.server);
  expect((await person.api.endAllSessions()).status).toBe(204);
  await Promise.all([person, ...others].map((each) => refused(each)));
  expect((await neighbour.api.readAccount()).status).toBe(200);
});

test("another person's session is not there for me, and stays", async () => {
  const person = await member(scene.server);
  const neighbour = await member(scene.server);
  expectProblem(await person.ask('DELETE', `/api/v1/sessions/${neighbour.signedIn!.session}`), 404, 'not_found');
  expect((await neighbour.api.readAccount()).status).toBe(200);
  expect((await person.api.listSessions()).data.items.map((session) => session.id)).not.toContain(neighbour.signedIn!.session);
});

test.each(['', '/not-an-id', '/00000000-0000-0000-0000-000000000000', '/018f0000-0000-7000-8000-000000000000'])(
  'ending the session “%s” without an account is refused',
  async (id) => {
    expectProblem(await stranger(scene.server).ask('DELETE', `/api/v1/sessions${id}`), 401, 'unauthenticated');
  },
);

test("a cursor of another person's list shows nothing of it", async () => {
  const [one, two] = [await member(scene.server), await member(scene.server)];
  for (const person of [one, two]) await person.elsewhere();
  const theirs = (await one.api.listSessions()).data.items.map((session) => session.id);
  const { data } = await one.api.listSessions({ limit: 1 });
  const answer = await two.ask('GET', `/api/v1/sessions?limit=1&cursor=${encodeURIComponent(data.next!)}`);
  expect(answer.status).toBe(200);
  for (const session of answer.json<{ items: { id: string }[] }>().items) expect(theirs).not.toContain(session.id);
});

test('a session ends once: ending it again names nothing', async () => {
  const person = await member(scene.server);
  const phone = await person.elsewhere('a phone');
  const path = `/api/v1/sessions/${phone.signedIn!.session}`;
  expect((await person.ask('DELETE', path)).status).toBe(204);
  expectProblem(await person.ask('DELETE', path), 404, 'not_found');
});

test('of more than fifty devices the one longest unused is signed out', async () => {
  const person = await member(scene.server);
  // From as many addresses: one alone has ten tries at a name.
  const elsewhere = async (): Promise<Person> =>
    with_((await stranger(scene.server).api.signIn({ body: { name: person.name, password: PASSWORD } })).data);
  const others: Person[] = [];
  for (let device = 0; device < 49; device++) others.push(await elsewhere());
  expect((await others[0]!.api.listSessions({ limit: 100 })).data.items).toHaveLength(50);
  const last = await elsewhere();
  const { items } = (await last.api.listSessions({ limit: 100 })).data;
  expect(items.map((session) => session.id)).toEqual([last, ...others.reverse()].map((each) => each.signedIn!.session));
  await refused(person);
  expectProblem(await refresh(person.signedIn!.refresh_token), 401, 'session_ended');
});

test('a device that was signed out stays so when the server is started again', async () => {
  const place = new Place();
  const before = await Server.start({ place });
  const person = await member(before);
  const phone = await person.elsewhere('a phone');
  await person.api.endSession({ session: phone.signedIn!.session });
  await before.stop();
  const after = await Server.start({ place });
  if (kind === 'postgres') await refused(phone.at(after));
  expectProblem(await phone.at(after).ask('GET', '/api/v1/account'), 401, 'unauthenticated');
  expect((await person.at(after).api.readAccount()).status).toBe(200);
  await after.stop();
  place.remove();
});

test('a refresh token is good under the secret of its community alone, whatever the database says', async () => {
  const place = new Place();
  const before = await Server.start({ place });
  const person = await member(before);
  await before.stop();
  writeFileSync(join(place.data, 'keys', 'secret'), randomBytes(32));
  const after = await Server.start({ place });
  const body = { refresh_token: person.signedIn!.refresh_token };
  expectProblem(await stranger(after).ask('POST', '/api/v1/sessions/refresh', { body }), 401, 'session_ended');
  expect((await person.at(after).api.readAccount()).status).toBe(200);
  await after.stop();
  place.remove();
});
