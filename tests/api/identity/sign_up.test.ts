// Making an account.
import { expect, test } from 'vitest';
import { freshKey, member, PASSWORD, stranger, unique } from '../../harness/people.ts';
import { expectProblem, expectWrong, pointers } from '../../harness/problems.ts';
import { Server } from '../../harness/server.ts';
import { world } from '../../harness/world.ts';

const scene = world();

test('the first account of a community is its administrator', async () => {
  const { data } = await scene.administrator.api.readAccount();
  expect(data).toMatchObject({ name: 'administrator', tier: 'unverified', roles: ['administrator'] });
});

test('every later account has no role', async () => {
  const later = await member(scene.server);
  expect(later.signedIn!.account.roles).toEqual([]);
  expect((await later.api.readAccount()).data).toEqual(later.signedIn!.account);
});

test('of 20 people who sign up at once in an empty community exactly one is its administrator', async () => {
  const server = await Server.start();
  const people = await Promise.all(Array.from({ length: 20 }, () => member(server)));
  const administrators = people.filter((person) => person.signedIn!.account.roles.includes('administrator'));
  expect(administrators).toHaveLength(1);
  await server.stop();
});

test('signing up signs in: the answer has both tokens and shows the session in the list', async () => {
  const person = await member(scene.server);
  expect(person.signedIn).toMatchObject({ token_type: 'Bearer' });
  expect(person.signedIn!.expires_in).toBeGreaterThan(0);
  const { data } = await person.api.listSessions();
  expect(data.items).toHaveLength(1);
  expect(data.items[0]).toMatchObject({ id: person.signedIn!.session, device: 'a test', current: true });
});

test('a name that is taken is refused with 409', async () => {
  const person = await member(scene.server);
  const answer = await stranger(scene.server).ask('POST', '/api/v1/accounts', { body: { name: person.name, password: PASSWORD } });
  expectProblem(answer, 409, 'name_taken');
});

test('of ten people who want the same name at once exactly one gets it', async () => {
  const name = unique('wanted');
  const body = { name, password: PASSWORD };
  const answers = await Promise.all(Array.from({ length: 10 }, () => stranger(scene.server).ask('POST', '/api/v1/accounts', { body })));
  expect(answers.map((answer) => answer.status).sort()).toEqual([201, ...Array<number>(9).fill(409)]);
});

test.each([
  ['with capitals, which would make two names of one', 'Anna-Capital'],
  ['that is too short', 'ab'],
  ['that is too long', 'a'.repeat(31)],
  ['with a blank', 'anna smith'],
  ['in letters that look like others', 'аnna'],
  ['with a NUL', 'anna\u0000'],
  ['that is empty', ''],
  ['that would leave the folder', '../../etc'],
])('a name %s is refused, and the answer points at it', async (_, name) => {
  const answer = await stranger(scene.server).ask('POST', '/api/v1/accounts', { body: { name, password: PASSWORD } });
  if (name.includes('\u0000')) expect([400, 422]).toContain(answer.status);
  else expectWrong(answer, '/name');
});

test.each([
  ['that is too short', 'seven77'],
  ['that is too long', 'p'.repeat(201)],
  ['that is empty', ''],
])('a password %s is refused, and the answer points at it without repeating it', async (_, password) => {
  const answer = await stranger(scene.server).ask('POST', '/api/v1/accounts', { body: { name: unique('anna'), password } });
  expectWrong(answer, '/password');
  if (password) expect(answer.text).not.toContain(password);
});

test('a password of 200 characters of four bytes each works, and each of them counts', async () => {
  const name = unique('long');
  const password = '🗳'.repeat(200);
  const person = await stranger(scene.server).signUp(name, password);
  const shorter = await person.ask('POST', '/api/v1/sessions', { body: { name, password: '🗳'.repeat(199) } });
  expectProblem(shorter, 401, 'wrong_credentials');
  const whole = await person.ask('POST', '/api/v1/sessions', { body: { name, password } });
  expect(whole.status).toBe(201);
});

test('everything that is wrong is named at once', async () => {
  const body = { name: 'A', password: 'short', device: '', administrator: true };
  const answer = await stranger(scene.server).ask('POST', '/api/v1/accounts', { body });
  expect(pointers(expectProblem(answer, 422, 'invalid'))).toEqual(['/administrator', '/device', '/name', '/password']);
});

test('a sign-up of more than 4096 bytes is refused before anything is done with it', async () => {
  const body = JSON.stringify({ name: unique('large'), password: PASSWORD, device: ' '.repeat(4096) });
  expectProblem(await stranger(scene.server).ask('POST', '/api/v1/accounts', { body }), 413, 'payload_too_large');
});

test('a role cannot be asked for', async () => {
  const body = { name: unique('sly'), password: PASSWORD, roles: ['administrator'] };
  expectWrong(await stranger(scene.server).ask('POST', '/api/v1/accounts', { body }), '/roles');
});

test('the same sign-up sent again with its key makes no second account and answers the same tokens', async () => {
  const person = stranger(scene.server);
  const idempotencyKey = freshKey();
  const body = { name: unique('twice'), password: PASSWORD };
  const first = await person.api.signUp({ body, idempotencyKey });
  const again = await person.api.signUp({ body, idempotencyKey });
  expect(again.data).toEqual(first.data);
});

test('a community that is closed to new accounts says so, but for the first', async () => {
  const server = await Server.start({ set: { 'identity.sign_up': 'closed' } });
  const first = await member(server);
  expect(first.signedIn!.account.roles).toEqual(['administrator']);
  const answer = await stranger(server).ask('POST', '/api/v1/accounts', { body: { name: unique('late'), password: PASSWORD } });
  expectProblem(answer, 403, 'sign_up_closed');
  await server.stop();
});

test('whoever reads the sign-up page learns whether it is open and whether they would be the first', async () => {
  expect((await stranger(scene.server).api.readSignUp()).data).toEqual({ open: true, first: false });
  const server = await Server.start();
  expect((await stranger(server).api.readSignUp()).data).toEqual({ open: true, first: true });
  await server.stop();
});

test('no log line has a password or a token in it', async () => {
  const person = await member(scene.server);
  await person.api.readAccount();
  await stranger(scene.server).ask('POST', '/api/v1/sessions', { body: { name: person.name, password: 'a wrong password' } });
  for (const secret of [PASSWORD, 'a wrong password', person.token, person.signedIn!.refresh_token])
    expect(scene.server.output).not.toContain(secret);
});
