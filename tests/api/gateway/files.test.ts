// The web client's files: the form that the browser takes, kept as long as they may be, and nothing that is not meant for it.
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { exchangeRaw } from '../../harness/exchange.ts';
import { stranger } from '../../harness/people.ts';
import { expectProblem } from '../../harness/problems.ts';
import { world } from '../../harness/world.ts';

const SCRIPT = '/assets/app-1a2b3c4d.js';
const script = 'export const words = "many of them, again and again";\n'.repeat(100);
const packed = { br: brotliCompressSync(script), gzip: gzipSync(script) };

/** A folder as the build of the web client leaves it. */
function webRoot(): string {
  const folder = mkdtempSync(join(process.env.FOLKMOOT_TEST_SCRATCH ?? tmpdir(), 'web-'));
  mkdirSync(join(folder, 'assets'));
  mkdirSync(join(folder, '.git'));
  writeFileSync(join(folder, 'index.html'), `<!doctype html><script type="module" src="${SCRIPT}"></script>`);
  writeFileSync(join(folder, 'icon.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>');
  writeFileSync(join(folder, SCRIPT), script);
  writeFileSync(join(folder, `${SCRIPT}.br`), packed.br);
  writeFileSync(join(folder, `${SCRIPT}.gz`), packed.gzip);
  writeFileSync(join(folder, '.git', 'config'), 'hidden');
  writeFileSync(join(folder, '.env'), 'hidden');
  return folder;
}

const scene = world({ set: { 'gateway.web_root': webRoot() } });
const get = (path: string, headers: Record<string, string> = {}) => exchangeRaw(scene.server, 'GET', path, { headers });

test.each([
  ['br, gzip', 'br'],
  ['gzip, deflate, br', 'br'],
  ['gzip', 'gzip'],
  ['gzip;q=0.5', 'gzip'],
  ['br;q=0.001', 'br'],
  ['br;q=0, gzip', 'gzip'],
  ['br;q=0.0, gzip;q=0', undefined],
  ['brotli, gzipped', undefined],
  ['identity', undefined],
  ['', undefined],
])('to a browser that accepts “%s” a file comes in the form %s, and is the same', async (accepted, form) => {
  const answer = await get(SCRIPT, { 'Accept-Encoding': accepted });
  expect(answer.status).toBe(200);
  expect(answer.headers['content-encoding']).toBe(form);
  expect(answer.headers.vary).toMatch(/accept-encoding/i);
  expect(answer.headers['content-type']).toMatch(/^text\/javascript/);
  const plain = form === 'br' ? brotliDecompressSync(answer.raw) : form === 'gzip' ? gunzipSync(answer.raw) : answer.raw;
  expect(plain.toString()).toBe(script);
});

test('files with a hash in their names are kept for ever, all others are asked for each time', async () => {
  expect((await get(SCRIPT)).headers['cache-control']).toBe('public, max-age=31536000, immutable');
  for (const path of ['/', '/index.html', '/icon.svg', '/b/some-board']) expect((await get(path)).headers['cache-control']).toBe('no-cache');
});

test.each(['/', SCRIPT, '/icon.svg'])('%s is not sent again to who has it, and is to who has another', async (path) => {
  const { etag } = (await get(path)).headers;
  expect(etag).toMatch(/^"[0-9a-f]+"$/);
  for (const had of [etag!, `W/${etag}`, `"other", ${etag}`, '*']) {
    const known = await get(path, { 'If-None-Match': had });
    expect([known.status, known.raw.length, known.headers.etag]).toEqual([304, 0, etag]);
  }
  expect((await get(path, { 'If-None-Match': '"0123456789abcdef0123"' })).status).toBe(200);
});

test.each(['/', '/b/some-board', SCRIPT])('%s runs no script but our own, and stands in no frame', async (path) => {
  const { headers } = await get(path);
  const policy = new Map(
    String(headers['content-security-policy'])
      .split(/;\s*/)
      .map((part) => [part.split(' ')[0]!, part.split(' ').slice(1).join(' ')]),
  );
  for (const directive of ['default-src', 'script-src', 'style-src', 'connect-src']) expect(policy.get(directive)).toBe("'self'");
  for (const directive of ['object-src', 'base-uri', 'frame-ancestors']) expect(policy.get(directive)).toBe("'none'");
  expect(headers['x-frame-options']).toBe('DENY');
  expect(headers['cross-origin-opener-policy']).toBe('same-origin');
  expect(headers['x-content-type-options']).toBe('nosniff');
});

test.each(['/.env', '/assets/nothing.js'])('%s is not there', async (path) => {
  expectProblem(await stranger(scene.server).ask('GET', path), 404, 'no_such_path');
});

test('what is hidden in the folder is not shown: an address below it is one of the web client', async () => {
  expect((await get('/.git/config')).text).toBe((await get('/')).text);
});

test('a file is read with GET and HEAD alone', async () => {
  const head = await exchangeRaw(scene.server, 'HEAD', SCRIPT, {});
  expect([head.status, head.raw.length, Number(head.headers['content-length'])]).toEqual([200, 0, script.length]);
  expectProblem(await stranger(scene.server).ask('POST', SCRIPT, { body: {} }), 405, 'method_not_allowed');
});
