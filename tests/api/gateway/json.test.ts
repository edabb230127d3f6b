// Bodies that are no JSON, or JSON that does not fit: each refused with what was wrong, and the process lives on.
import { beforeAll, expect, test } from 'vitest';
import type { Board } from '../../generated/api.ts';
import type { Answer } from '../../harness/exchange.ts';
import { board, member, type Person } from '../../harness/people.ts';
import { expectProblem, expectWrong, pointers } from '../../harness/problems.ts';
import { world } from '../../harness/world.ts';

const scene = world();
let anna: Person;
let talk: Board;

beforeAll(async () => {
  anna = await member(scene.server);
  talk = await board(scene.administrator);
});

/** Posts these very bytes. */
const send = (body: string | Buffer, headers: Record<string, string> = {}): Promise<Answer> =>
  anna.ask('POST', `/api/v1/boards/${talk.slug}/posts`, { body, headers });

test.each([
  ['nothing', ''],
  ['blanks', ' \n\t '],
  ['a word', 'title'],
  ['half an object', '{"title":"T"'],
  ['an object without quotes', '{title:"T"}'],
  ['single quotes', "{'title':'T'}"],
  ['a comma too many', '{"title":"T",}'],
  ['a comma too few', '{"title":"T" "body":"B"}'],
  ['no colon', '{"title" "T"}'],
  ['two values', '{"title":"T"}{"title":"U"}'],
  ['something behind the value', '{"title":"T"} x'],
  ['a comment', '{"title":"T" /* why */}'],
  ['a byte order mark', '\ufeff{"title":"T"}'],
  ['a line break in a string', '{"title":"T\nU"}'],
  ['a tabulator in a string', '{"title":"T\tU"}'],
  ['an unknown escape', '{"title":"\\x41"}'],
  ['half an escape', '{"title":"\\u00"}'],
  ['a lone high surrogate', '{"title":"\\ud83d"}'],
  ['a lone low surrogate', '{"title":"\\udc00"}'],
  ['a high surrogate before another character', '{"title":"\\ud83d\\ue000"}'],
  ['surrogates the wrong way round', '{"title":"\\udc00\\ud83d"}'],
  ['a NUL in a string', '{"title":"a\\u0000b"}'],
  ['NaN', '{"title":NaN}'],
  ['a leading zero', '{"title":01}'],
  ['a leading plus', '{"title":+1}'],
  ['a number that ends in its point', '{"title":1.}'],
  ['a hexadecimal number', '{"title":0x10}'],
  ['True with a capital', '{"title":True}'],
  ['an array without its end', '['],
  ['only an end', '}'],
])('a body of %s is malformed', async (_, body) => {
  const problem = expectProblem(await send(body), 400, 'malformed');
  expect(problem.detail).toBeTruthy();
});

test('a malformed body is told where it goes wrong', async () => {
  const problem = expectProblem(await send('{\n  "title": "T",\n  "body": oops\n}'), 400, 'malformed');
  expect(problem.detail).toMatch(/line 3\b/);
});

test.each([
  ['a byte that never occurs', [0xff]],
  ['a continuation without its beginning', [0x80]],
  ['a beginning without its continuation', [0xc3]],
  ['an overlong form', [0xc0, 0xaf]],
  ['an overlong NUL', [0xc0, 0x80]],
  ['a surrogate', [0xed, 0xa0, 0x80]],
  ['a code point beyond the last', [0xf4, 0x90, 0x80, 0x80]],
  ['a NUL', [0x00]],
])('a string with %s is malformed', async (_, bytes) => {
  const body = Buffer.concat([Buffer.from('{"title":"a'), Buffer.from(bytes), Buffer.from('b"}')]);
  expectProblem(await send(body), 400, 'malformed');
});

test.each([
  ['arrays', '['.repeat(1000)],
  ['objects', '{"a":'.repeat(1000)],
  ['arrays that end', '['.repeat(1000) + ']'.repeat(1000)],
  ['arrays in an unknown field', `{"title":"T","x":${'['.repeat(1000)}${']'.repeat(1000)}}`],
  ['arrays in a known field', `{"title":${'['.repeat(1000)}${']'.repeat(1000)}}`],
  ['20,000 arrays', '['.repeat(20_000)],
])('a body nested a thousand deep in %s is refused', async (_, body) => {
  const answer = await send(body);
  expect([400, 422]).toContain(answer.status);
});

test.each([
  ['null', 'null'],
  ['true', 'true'],
  ['a number', '5'],
  ['a string', '"T"'],
  ['an array', '[{"title":"T"}]'],
])('a body that is %s where an object belongs is refused', async (_, body) => {
  const answer = await send(body);
  expect([400, 422]).toContain(answer.status);
});

test.each(['null', 'true', '5', '-0', '1e400', '1E-400', '{}', '[]', '["T"]', '{"title":"T"}'])(
  'a title that is %s instead of a string is refused',
  async (value) => {
    const answer = await send(`{"title":${value}}`);
    if (answer.status === 400) expectProblem(answer, 400, 'malformed');
    else expectWrong(answer, '/title');
  },
);

test('numbers too large or too precise for the wire are no reason to fall over', async () => {
  for (const value of ['9'.repeat(400), `1${'0'.repeat(5000)}`, `0.${'1'.repeat(5000)}`, '-9223372036854775809', '1e99999999999']) {
    const answer = await send(`{"title":"T","body":${value}}`);
    expect([400, 422]).toContain(answer.status);
  }
});

test('unknown fields are each named, the near misses too', async () => {
  const problem = expectProblem(await send('{"title":"T","Title":"U","titel":"V","__proto__":{},"":1}'), 422, 'invalid');
  expect(pointers(problem)).toEqual(['/', '/Title', '/__proto__', '/titel']);
});

test('a field that comes twice is refused', async () => {
  const answer = await send('{"title":"T","title":"U"}');
  expect([400, 422]).toContain(answer.status);
});

test('of very many wrong fields sixteen are named', async () => {
  const body = Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [`field${index}`, 1]));
  const problem = expectProblem(await send(JSON.stringify({ title: 'T', ...body })), 422, 'invalid');
  expect(problem.errors!.length).toBeLessThanOrEqual(16);
});

test('the name of an unknown field is shown as a pointer, escaped, and cut when it is long', async () => {
  const problem = expectProblem(await send(JSON.stringify({ title: 'T', 'a/b~c': 1 })), 422, 'invalid');
  expect(pointers(problem)).toEqual(['/a~1b~0c']);
  const long = await send(JSON.stringify({ title: 'T', ['x'.repeat(30_000)]: 1 }));
  expect(long.status).toBe(422);
  expect(long.raw.length).toBeLessThan(5000);
});

test('every way to write a string that is right is taken', async () => {
  const answer = await send(' \n{ "\\u0074itle" : "\\u0041\\n\\"\\\\\\/\\ud83e\\udd86 é \u007f", "body" : "" }\r\n ');
  expect(answer.status).toBe(201);
  expect(answer.json<{ title: string }>().title).toBe('A\n"\\/🦆 é \u007f');
});

test('a body that is too large is refused with 413 and its limit', async () => {
  const problem = expectProblem(await send(JSON.stringify({ title: 'T', body: 'b'.repeat(70_000) })), 413, 'payload_too_large');
  expect(problem.detail).toMatch(/\d/);
});

test.each([
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/xml',
  'application/jsonx',
  'json',
  '',
])('a body of type “%s” is refused with 415', async (type) => {
  expectProblem(await send('{"title":"T"}', { 'Content-Type': type }), 415, 'unsupported_media_type');
});

test.each(['application/json', 'application/json; charset=utf-8', 'application/json;charset=UTF-8', 'Application/JSON'])(
  'a body of type “%s” is taken',
  async (type) => {
    expect((await send('{"title":"T"}', { 'Content-Type': type })).status).toBe(201);
  },
);

test('a body in another encoding is refused, not misread', async () => {
  const answer = await send('{"title":"T"}', { 'Content-Encoding': 'gzip' });
  expect([400, 415]).toContain(answer.status);
});

test('after all of this the server answers as before', async () => {
  expect((await send('{"title":"Still here"}')).status).toBe(201);
});
