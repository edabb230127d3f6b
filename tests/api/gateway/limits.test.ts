// Limits per person, address and operation: announced, kept, and each only for who reached it.
import { generateKeyPairSync } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Answer } from '../../harness/exchange.ts';
import { member, type Person, stranger, unique } from '../../harness/people.ts';
import { expectProblem } from '../../harness/problems.ts';
import { putTogether, takeApart, withEs256 } from '../../harness/tokens.ts';
import { world } from '../../harness/world.ts';

const scene = world({ set: { 'gateway.limit_scale': '100' } });

/** Asks until it is refused; answers how often that went well, and the refusal. */
async function untilRefused(ask: () => Promise<Answer>, most = 3000): Promise<{ count: number; refusal: Answer }> {
  for (let count = 0; count < most; count++) {
    const answer = await ask();
    if (answer.status === 429) return { count, refusal: answer };
  }
  throw new Error(`None of ${most} requests was refused.`);
}

const signUp = (by: Person) => by.ask('POST', '/api/v1/accounts', { body: { name: unique('m'), password: 'a long enough password' } });
const invalid = (by: Person) => by.ask('POST', '/api/v1/accounts', { body: { name: 'x', password: 'short' } });

test('one address makes 20 accounts an hour and is then told when to come back', async () => {
  const here = stranger(scene.server);
  const { count, refusal } = await untilRefused(() => signUp(here), 50);
  expect(count).toBe(20);
  const problem = expectProblem(refusal, 429, 'rate_limited');
  expect(problem.detail).toBeTruthy();
  const wait = Number(refusal.headers['retry-after']);
  expect(wait).toBeGreaterThan(0);
  expect(wait).toBeLessThanOrEqual(3600 / 20 + 1);
  expect((await signUp(stranger(scene.server))).status).toBe(201);
});

test('requests that were wrong count too', async () => {
  const here = stranger(scene.server);
  const { count } = await untilRefused(() => invalid(here), 50);
  expect(count).toBeLessThanOrEqual(20);
});

test('what is left is announced before it is used up', async () => {
  const here = stranger(scene.server);
  const left: number[] = [];
  for (let round = 0; round < 5; round++) left.push(Number(/\br=(\d+)/.exec(String((await invalid(here)).headers.ratelimit))?.[1]));
  expect(left).toEqual([...left].sort((one, other) => other - one));
  expect(left[0]! - left[4]!).toBe(4);
});

test('a limit reached on one operation leaves the others open', async () => {
  const here = stranger(scene.server);
  await untilRefused(() => invalid(here), 50);
  expect((await here.ask('GET', '/api/v1/boards')).status).toBe(200);
});

test('a limit reached by one member does not touch a neighbour at the same address', async () => {
  const anna = await member(scene.server);
  const ben = await member(scene.server);
  const ask = (by: Person) => by.ask('GET', '/api/v1/account', { address: anna.address });
  const { refusal } = await untilRefused(() => ask(anna));
  expectProblem(refusal, 429, 'rate_limited');
  expect((await ask(ben)).status).toBe(200);
}, 60_000);

test('what was used up comes back with time', async () => {
  const anna = await member(scene.server);
  const { refusal } = await untilRefused(() => anna.ask('GET', '/api/v1/account'));
  await sleep(Number(refusal.headers['retry-after']) * 1000 + 100);
  expect((await anna.ask('GET', '/api/v1/account')).status).toBe(200);
}, 60_000);

test('one who tries forged tokens on and on is refused, even with a good one, and others are not', async () => {
  const person = await member(scene.server);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { header, claims } = takeApart(person.token);
  const forged = () => ({ Authorization: `Bearer ${putTogether(header, { ...claims, jti: unique('forged') }, withEs256(privateKey))}` });
  const here = stranger(scene.server);
  const { count, refusal } = await untilRefused(() => here.ask('GET', '/api/v1/account', { headers: forged() }), 100);
  expect(count).toBeGreaterThanOrEqual(30);
  expectProblem(refusal, 429, 'rate_limited');
  const good = { Authorization: `Bearer ${person.token}` };
  expectProblem(await here.ask('GET', '/api/v1/account', { headers: good }), 429, 'rate_limited');
  expect((await person.api.readAccount()).status).toBe(200);
});

test('one who tries garbage as tokens on and on is refused', async () => {
  const here = stranger(scene.server);
  const { refusal } = await untilRefused(() => here.ask('GET', '/api/v1/account', { headers: { Authorization: 'Bearer garbage' } }));
  expectProblem(refusal, 429, 'rate_limited');
}, 60_000);
