// Starts that cannot succeed: each ends with a sentence that says what was wrong and what to do, and breaks nothing.
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { board, member } from '../../harness/people.ts';
import { freePort, type Outcome, Place, runProgram, Server, type ServerOptions } from '../../harness/server.ts';

/** Tries to start on a place; must fail within moments. */
async function refusedStart(place: Place, set: Record<string, string> = {}, options: ServerOptions = {}): Promise<Outcome> {
  const port = await freePort();
  const all = { 'gateway.listen': `127.0.0.1:${port}`, ...set };
  const args = ['--data', place.data, 'serve', ...Object.entries(all).flatMap(([name, value]) => ['--set', `${name}=${value}`])];
  const outcome = await runProgram(args, { ...options, started: (child) => setTimeout(() => child.kill('SIGKILL'), 10_000).unref() });
  expect(outcome.signal, outcome.stderr).toBeNull();
  expect(outcome.code, outcome.stderr).not.toBe(0);
  expect(outcome.stderr).toBeTruthy();
  return outcome;
}

async function withPlace(body: (place: Place) => Promise<void>): Promise<void> {
  const place = new Place();
  try {
    await body(place);
  } finally {
    place.remove();
  }
}

test('a start prints the address and how to make the first account', () =>
  withPlace(async (place) => {
    const address = `127.0.0.1:${await freePort()}`;
    const { stdout, code } = await runProgram(['--data', place.data, 'serve', '--set', `gateway.listen=${address}`], {
      started: (child) => child.stdout!.once('data', () => child.kill('SIGTERM')),
    });
    expect(code).toBe(0);
    expect(stdout).toContain(`http://${address}\n`);
    expect(stdout).toMatch(/sign up: the first account is the administrator/);
  }));

test('a port in use stops the start, and the message names it', () =>
  withPlace(async (place) => {
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
    const { port } = holder.address() as { port: number };
    const { stderr } = await refusedStart(place, { 'gateway.listen': `127.0.0.1:${port}` });
    expect(stderr).toContain(`127.0.0.1:${port}`);
    expect(stderr).toMatch(/gateway\.listen|in use/);
    holder.close();
  }));

test.each([
  ['gateway.liste = 127.0.0.1:1', /gateway\.liste\b/, /gateway\.listen/],
  ['nonsense', /expected/, /name = value/],
  ['gateway.threads = many', /gateway\.threads/, /whole number/],
  ['gateway.threads = -1', /gateway\.threads/, /0/],
  ['gateway.threads = 99999999999999999999', /gateway\.threads/, /whole number/],
  ['gateway.body_max = 1T', /gateway\.body_max/, /8M/],
  ['identity.access_lifetime = 10', /identity\.access_lifetime/, /10/],
  ['community.public_reading = yes', /community\.public_reading/, /true/],
  ['log.level = loud', /log\.level/, /debug info warning error/],
  ['gateway.access_lines = none', /gateway\.access_lines/, /set in line \d+ already/],
])('the configuration line “%s” stops the start, and the message says the line, the option and the remedy', (line, option, remedy) =>
  withPlace(async (place) => {
    const file = join(place.data, 'folkmoot.conf');
    const before = readFileSync(file, 'utf8').split('\n').length - 1;
    writeFileSync(file, `${readFileSync(file, 'utf8')}# a comment\n\n${line}\n`);
    const { stderr } = await refusedStart(place);
    expect(stderr).toMatch(option);
    expect(stderr).toMatch(remedy);
    expect(stderr).toMatch(new RegExp(`folkmoot\\.conf[^\\n]*\\b${before + 3}\\b`));
  }),
);

test('a wrong option on the command line or in the environment is named as such', () =>
  withPlace(async (place) => {
    expect((await refusedStart(place, { 'gateway.nothing': '1' })).stderr).toContain('gateway.nothing');
    const { stderr } = await refusedStart(place, {}, { environment: { FOLKMOOT_GATEWAY_THREADS: 'many' } });
    expect(stderr).toContain('FOLKMOOT_GATEWAY_THREADS');
  }));

test('an address that is none stops the start', () =>
  withPlace(async (place) => {
    for (const listen of ['nowhere', '127.0.0.1', '127.0.0.1:99999', '256.0.0.1:80', ':', '127.0.0.1:x']) {
      expect((await refusedStart(place, { 'gateway.listen': listen })).stderr).toMatch(/gateway\.listen/);
    }
  }));

test('a folder without a web client stops the start when it is named', () =>
  withPlace(async (place) => {
    const { stderr } = await refusedStart(place, { 'gateway.web_root': place.data });
    expect(stderr).toMatch(/gateway\.web_root: \S+ holds no index\.html/);
  }));

test('a data directory that cannot be written to stops the start, and the message names it', async () => {
  const parent = mkdtempSync(join(tmpdir(), 'folkmoot-read-only-'));
  const data = join(parent, 'data');
  mkdirSync(data);
  chmodSync(data, 0o555);
  // Root may write anywhere: give up that right, as the service of a package does.
  const wrap = (command: string[]): string[] =>
    process.getuid?.() === 0
      ? ['setpriv', '--bounding-set=-all', '--inh-caps=-all', '--reuid=65534', '--regid=65534', '--clear-groups', ...command]
      : command;
  chmodSync(parent, 0o755);
  const outcome = await runProgram(['--data', data, 'serve', '--set', `gateway.listen=127.0.0.1:${await freePort()}`], { wrap });
  expect(outcome.code).not.toBe(0);
  expect(outcome.stderr).toContain(data);
  expect(outcome.stderr).toMatch(/write|written|writable|permission|read-only/i);
  chmodSync(data, 0o755);
  rmSync(parent, { recursive: true });
});

test('a data directory that is a file stops the start', async () => {
  const parent = mkdtempSync(join(tmpdir(), 'folkmoot-file-'));
  const file = join(parent, 'data');
  writeFileSync(file, 'not a folder');
  const outcome = await runProgram(['--data', file, 'serve']);
  expect(outcome.code).not.toBe(0);
  expect(outcome.stderr).toContain(file);
  rmSync(parent, { recursive: true });
});

test('two servers on one data directory are refused, and the first goes on', () =>
  withPlace(async (place) => {
    const first = await Server.start({ place });
    const { stderr } = await refusedStart(place);
    expect(stderr).toContain(place.data);
    await member(first);
    await first.stop();
  }));

test('a database that a newer version made is refused and left as it is', () =>
  withPlace(async (place) => {
    await (await Server.start({ place })).stop();
    place.meddle(
      'forum',
      "INSERT INTO migration_journal (part, name, hash, applied_at) VALUES ('forum', '9999_invent_future', '00', 0);",
    );
    const { stderr } = await refusedStart(place);
    expect(stderr).toContain('9999_invent_future');
    expect(stderr).toMatch(/newer/);
  }));

test('a migration that was edited after it was applied is refused', () =>
  withPlace(async (place) => {
    await (await Server.start({ place })).stop();
    place.meddle('identity', "UPDATE migration_journal SET hash = 'ffff' WHERE part = 'identity';");
    const { stderr } = await refusedStart(place);
    expect(stderr).toMatch(/edited/);
    expect(stderr).toContain('identity');
  }));

test('a start that was refused can be made good: nothing was broken by it', () =>
  withPlace(async (place) => {
    const first = await Server.start({ place });
    const admin = await member(first);
    const talk = await board(admin);
    await first.stop();
    await refusedStart(place, { 'gateway.threads': 'x' });
    const second = await Server.start({ place });
    expect((await admin.at(second).api.readBoard({ board: talk.slug })).data.id).toBe(talk.id);
    await second.stop();
  }));

test('the first start makes the data directory, in which nobody else can read the keys', async () => {
  const parent = mkdtempSync(join(tmpdir(), 'folkmoot-new-'));
  const data = join(parent, 'deep', 'data');
  const outcome = await runProgram(['--data', data, 'migrate']);
  expect(outcome.code, outcome.stderr).toBe(0);
  const files = readdirSync(join(data, 'keys'));
  expect(files.length).toBeGreaterThan(0);
  for (const file of files) expect(statSync(join(data, 'keys', file)).mode & 0o077).toBe(0);
  rmSync(parent, { recursive: true });
});

test.each([
  ['check'],
  ['keys', 'rotate'],
  ['export', 'polis', '--board', 'market', 'out'],
])('a mistyped data directory is not made by %s, but refused', async (...args) => {
  const parent = mkdtempSync(join(tmpdir(), 'folkmoot-missing-'));
  const data = join(parent, 'dtaa');
  const outcome = await runProgram(['--data', data, ...args]);
  expect(outcome.code).toBe(1);
  expect(outcome.stderr).toContain(`There is no data directory ${data}`);
  expect(readdirSync(parent)).toEqual([]);
  rmSync(parent, { recursive: true });
});

test('the options can be listed before there is a data directory, and none is made', async () => {
  const parent = mkdtempSync(join(tmpdir(), 'folkmoot-missing-'));
  const outcome = await runProgram(['--data', join(parent, 'data'), 'config']);
  expect(outcome.code, outcome.stderr).toBe(0);
  expect(outcome.stdout).toMatch(/^gateway\.listen = /m);
  expect(readdirSync(parent)).toEqual([]);
  rmSync(parent, { recursive: true });
});

test('all options can be listed, with their values and what they mean, as a configuration file', () =>
  withPlace(async (place) => {
    const { code, stdout } = await runProgram(['--data', place.data, 'config']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^gateway\.limit_scale = 100000$/m);
    expect(stdout).toMatch(/^# ?\S/m);
    writeFileSync(join(place.data, 'folkmoot.conf'), stdout);
    expect((await runProgram(['--data', place.data, 'config'])).stdout).toBe(stdout);
  }));

test.each([
  [[]],
  [['nonsense']],
  [['serve', '--nonsense']],
  [['serve', '--set']],
  [['serve', '--set', 'x']],
  [['serve', '--modules', '']],
  [['serve', '--data', '']],
  [['import']],
  [['import', 'polis']],
  [['import', 'nothing', '/tmp', '--board', 'x']],
  [['keys']],
  [['keys', 'eat']],
])('the command line %j is refused with how to use the program', async (args) => {
  const place = new Place();
  const outcome = await runProgram(['--data', place.data, ...args]);
  expect(outcome.code).not.toBe(0);
  expect(outcome.stdout + outcome.stderr).toMatch(/folkmoot|--/);
  place.remove();
});

test('log lines of a program that was started without standard error end up in no file', () =>
  withPlace(async (place) => {
    const files = () => readdirSync(place.data).filter((name) => !/sqlite|keys/.test(name));
    const wrap = (command: string[]): string[] => ['sh', '-c', 'exec "$@" 2>&-', 'sh', ...command];
    const server = await Server.start({ place, wrap });
    const { pid } = server;
    await server.stop();
    expect(files()).toContain('lock');
    for (const file of files()) expect(readFileSync(join(place.data, file), 'utf8'), file).not.toContain('"event"');
    expect(readFileSync(join(place.data, 'lock'), 'utf8')).toBe(`${pid}\n`);
  }));

test('a format that nobody knows is answered with those there are, before anything is done', async () => {
  const parent = mkdtempSync(join(tmpdir(), 'folkmoot-format-'));
  const outcome = await runProgram(['--data', join(parent, 'data'), 'import', 'poliss', parent, '--board', 'x']);
  expect(outcome.code).toBe(2);
  expect(outcome.stderr).toMatch(/no format “poliss” to import; there is: polis\./);
  expect(readdirSync(join(parent, 'data'))).toEqual([]);
  rmSync(parent, { recursive: true });
});

test('help is given when asked for, and the version', async () => {
  expect((await runProgram(['--help'])).stdout).toMatch(/serve[\s\S]*import[\s\S]*export[\s\S]*keys/);
  expect((await runProgram(['--version'])).stdout).toMatch(/\d+\.\d+\.\d+/);
});
