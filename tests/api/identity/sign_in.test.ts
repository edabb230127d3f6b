// Signing in, and what stops those who guess.
import { expect, test } from 'vitest';
import { member, PASSWORD, stranger, unique } from '../../harness/people.ts';
import { expectProblem, expectWrong } from '../../harness/problems.ts';
import { Place, Server } from '../../harness/server.ts';
import { world } from '../../harness/world.ts';

// Hashes that cost something, so that the time a guess takes is told from noise; the usual limits.
const scene = world({ set: { 'identity.password_memory': '8M', 'gateway.limit_scale': '100' } });

const signIn = (name: string, password: string, person = stranger(scene.server)) =>
  person.ask('POST', '/api/v1/sessions', { body: { name, password } });

test('the right name and password open a session of their own', async () => {
  const person = await member(scene.server);
  const other = await person.elsewhere('a phone');
  expect(other.signedIn!.account).toEqual(person.signedIn!.account);
  expect(other.signedIn!.session).not.toBe(person.signedIn!.session);
  expect((await other.api.readAccount()).data.id).toBe(person.id);
});

test('a wrong password and an unknown name get the same answer', async () => {
  const person = await member(scene.server);
  const wrong = expectProblem(await signIn(person.name, 'not the password'), 401, 'wrong_credentials');
  const unknown = expectProblem(await signIn('nobody-of-that-name', 'not the password'), 401, 'wrong_credentials');
  expect({ ...unknown, instance: '' }).toEqual({ ...wrong, instance: '' });
});

test('a wrong password and an unknown name take about the same time', async () => {
  const person = await member(scene.server);
  const timeOf = async (name: string): Promise<number> => {
    const begun = performance.now();
    await signIn(name, 'not the password');
    return performance.now() - begun;
  };
  const known: number[] = [];
  const unknown: number[] = [];
  for (let round = 0; round < 9; round++) {
    known.push(await timeOf(person.name));
    unknown.push(await timeOf('nobody-of-that-name'));
  }
  // The quickest of each: what other processes take does not count.
  const ratio = Math.min(...unknown) / Math.min(...known);
  expect(ratio).toBeGreaterThan(0.5);
  expect(ratio).toBeLessThan(2);
});

test('the case of a password matters', async () => {
  const person = await member(scene.server);
  expectProblem(await signIn(person.name, PASSWORD.toUpperCase()), 401, 'wrong_credentials');
});

test('a name that can be nobody is no reason to answer otherwise than for an unknown one', async () => {
  expectProblem(await signIn('NOBODY AT ALL', PASSWORD), 401, 'wrong_credentials');
});

test('an absurdly long password is refused before anything is done with it', async () => {
  expectWrong(await signIn('anna', 'p'.repeat(201)), '/password');
});

test('a sign-in without a password points at what is missing', async () => {
  expectWrong(await stranger(scene.server).ask('POST', '/api/v1/sessions', { body: { name: 'anna' } }), '/password');
});

test('whoever guesses on and on is told to wait, and others from elsewhere are not', async () => {
  const victim = await member(scene.server);
  const guesser = stranger(scene.server);
  let answer = await signIn(victim.name, 'a guess', guesser);
  for (let guess = 1; guess < 100 && answer.status === 401; guess++) answer = await signIn(victim.name, 'a guess', guesser);
  const problem = expectProblem(answer, 429, 'rate_limited');
  expect(problem.detail).toBeTruthy();
  expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
  expectProblem(await signIn(victim.name, PASSWORD, guesser), 429, 'rate_limited');
  expect((await signIn(victim.name, PASSWORD)).status).toBe(201);
});

test('one address has ten tries at a name, and then still tries at other names', async () => {
  const [victim, neighbour] = [await member(scene.server), await member(scene.server)];
  const guesser = stranger(scene.server);
  for (let guess = 0; guess < 10; guess++) expectProblem(await signIn(victim.name, 'a guess', guesser), 401, 'wrong_credentials');
  expectProblem(await signIn(victim.name, 'a guess', guesser), 429, 'rate_limited');
  expect((await signIn(neighbour.name, PASSWORD, guesser)).status).toBe(201);
});

test('a hundred tries at a name from many addresses are all that there are', async () => {
  const name = unique('hunted');
  let tries = 0;
  let refused = 0;
  for (let address = 0; address < 15 && refused === 0; address++) {
    const guesser = stranger(scene.server);
    for (let guess = 0; guess < 10 && refused === 0; guess++) {
      const { status } = await signIn(name, 'a guess', guesser);
      tries += Number(status === 401);
      refused += Number(status === 429);
    }
  }
  expect(refused).toBe(1);
  expect(tries).toBeGreaterThanOrEqual(100); // each nine seconds bring one more
});

test('a hash that costs less than is asked for now is made anew when its owner signs in, and no other is', async () => {
  const place = new Place();
  const before = await Server.start({ place });
  const anna = await member(before);
  const ben = await stranger(before).signUp(unique('ben'), 'what ben alone knows');
  await before.stop();
  const costlier = { place, set: { 'identity.password_passes': '2' } };
  const between = await Server.start(costlier);
  expect((await signIn(anna.name, PASSWORD, stranger(between))).status).toBe(201);
  await between.stop();
  place.meddle('identity', "UPDATE account SET password_hash = NULL WHERE password_hash LIKE '%,t=1,%';");
  const after = await Server.start(costlier);
  expect((await signIn(anna.name, PASSWORD, stranger(after))).status).toBe(201);
  for (const password of [PASSWORD, 'what ben alone knows'])
    expectProblem(await signIn(ben.name, password, stranger(after)), 401, 'wrong_credentials');
  await after.stop();
  place.remove();
});
