// Signing in, and what stops those who guess.
import { expect, test } from 'vitest';
import { member, PASSWORD, stranger } from '../../harness/people.ts';
import { expectProblem, expectWrong } from '../../harness/problems.ts';
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
  const median = (times: number[]): number => times.sort((left, right) => left - right)[4]!;
  const ratio = median(unknown) / median(known);
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
