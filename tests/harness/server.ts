// The program under test: starts it on a free port, waits until it is ready, collects its log lines, stops it, and fails the
// test when it crashed, leaked or left otherwise than asked.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Database, type ModuleName } from './database.ts';
import { closeConnections, exchangeRaw } from './exchange.ts';
import { binary, fixtures } from './paths.ts';

export interface LogLine {
  time: string;
  level: string;
  event: string;
  [name: string]: unknown;
}

export interface ServerOptions {
  set?: Record<string, string>; // options of the program, besides those of the database and the address
  wrap?: (command: string[]) => string[]; // what runs the program, e.g. under a limit
  environment?: Record<string, string>;
  words?: string[]; // further words of the command line
}

const READY_MS = 20_000;
const STOP_MS = 15_000;
const REPORTS = /AddressSanitizer|LeakSanitizer|UndefinedBehaviorSanitizer|runtime error:|ThreadSanitizer/;

// Cheap password hashes, wide limits, every request in the log lines: the tests of these set their own. The web client is a small one.
const PRESETS: Record<string, string> = {
  'identity.password_memory': '1M',
  'identity.password_passes': '1',
  'gateway.limit_scale': '100000',
  'gateway.access_lines': 'all',
  'gateway.web_root': join(fixtures, 'web'),
};

/** A data directory and the database that belongs to it; a server may be started on it again and again. */
export class Place {
  readonly data = mkdtempSync(join(process.env.FOLKMOOT_TEST_SCRATCH ?? tmpdir(), 'data-'));
  readonly database?: Database;

  constructor(
    private readonly set: Record<string, string> = {},
    cluster?: string,
  ) {
    this.database = Database.create(cluster);
    this.configure();
  }

  /** Writes the options as the directory's configuration, which every command reads. */
  configure(): void {
    const options = { ...PRESETS, ...this.database?.options(), ...this.set };
    const lines = Object.entries(options).map(([name, value]) => `${name} = ${value}\n`);
    mkdirSync(this.data, { recursive: true });
    writeFileSync(join(this.data, 'folkmoot.conf'), lines.join(''));
  }

  /** The database is at another address now. */
  moveTo(cluster: string): void {
    this.database!.cluster = cluster;
    this.configure();
  }

  /** Meddles with a module's database from outside, while no server runs. */
  meddle(module: ModuleName, statements: string | { sqlite: string; postgres: string }): void {
    const sql = typeof statements === 'string' ? statements : statements[this.database ? 'postgres' : 'sqlite'];
    if (this.database) return void this.database.asOwner(`SET search_path = ${module}; ${sql}`);
    const script = 'import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.executescript(sys.argv[2]); c.commit()';
    execFileSync('/usr/bin/python3', ['-c', script, join(this.data, `${module}.sqlite`), sql]);
  }

  /** Removes the directory; a database in PostgreSQL goes with its cluster. */
  remove(): void {
    rmSync(this.data, { recursive: true, force: true });
  }
}

export interface Outcome {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

function spawnProgram(args: string[], options: ServerOptions = {}): ChildProcess {
  const plain = [binary, ...args];
  const [command, ...rest] = options.wrap ? options.wrap(plain) : plain;
  // What configures the tests is no option of the program.
  const outer = Object.entries(process.env).filter(([name]) => !name.startsWith('FOLKMOOT_'));
  const environment = { ...Object.fromEntries(outer), ...options.environment };
  return spawn(command!, rest, { stdio: ['ignore', 'pipe', 'pipe'], env: environment });
}

/** Runs a command of the program to its end. `started` gets the process, to interrupt it. */
export async function runProgram(
  args: string[],
  options: ServerOptions & { started?: (child: ChildProcess) => void } = {},
): Promise<Outcome> {
  const child = spawnProgram(args, options);
  const outcome: Outcome = { code: null, signal: null, stdout: '', stderr: '' };
  child.stdout!.setEncoding('utf8').on('data', (text: string) => (outcome.stdout += text));
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (outcome.stderr += text));
  options.started?.(child);
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      outcome.code = code;
      outcome.signal = signal;
      resolve();
    });
  });
  if (REPORTS.test(outcome.stderr)) throw new Error(`A sanitizer reports:\n${outcome.stderr}`);
  return outcome;
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

const running = new Set<ChildProcess>();

/** Ends whatever still runs. */
export function killAll(): void {
  for (const child of running) child.kill('SIGKILL');
}

process.once('exit', killAll);

export class Server {
  readonly lines: LogLine[] = [];
  readonly stray: string[] = []; // what it printed that is no log line
  private ended?: { code: number | null; signal: NodeJS.Signals | null };
  private readonly end: Promise<void>;

  private constructor(
    readonly place: Place,
    readonly port: number,
    private readonly child: ChildProcess,
    private readonly ownsPlace: boolean,
  ) {
    createInterface({ input: child.stderr! }).on('line', (line) => this.collect(line));
    child.stdout!.resume();
    running.add(child);
    this.end = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => {
        this.ended = { code, signal };
        running.delete(child);
        resolve();
      });
    });
  }

  /** Starts the program on a place of its own, or on the one given, and waits until it is ready. */
  static async start(options: ServerOptions & { place?: Place } = {}): Promise<Server> {
    const place = options.place ?? new Place(options.set);
    const port = await freePort();
    const set: Record<string, string> = { 'gateway.listen': `127.0.0.1:${port}`, ...(options.place ? options.set : {}) };
    const args = [
      '--data',
      place.data,
      'serve',
      ...Object.entries(set).flatMap(([name, value]) => ['--set', `${name}=${value}`]),
      ...(options.words ?? []),
    ];
    const server = new Server(place, port, spawnProgram(args, options), !options.place);
    await server.becomesReady();
    return server;
  }

  get pid(): number {
    return this.child.pid!;
  }

  get running(): boolean {
    return this.ended === undefined;
  }

  /** What it printed, as text, for messages and for searching. */
  get output(): string {
    return [...this.lines.map((line) => JSON.stringify(line)), ...this.stray].join('\n');
  }

  async becomesReady(): Promise<void> {
    const until = Date.now() + READY_MS;
    while (Date.now() < until) {
      if (this.ended) throw new Error(`The program ended with ${JSON.stringify(this.ended)} at its start:\n${this.output}`);
      if ((await this.readiness()) === 200) return;
      await sleep(10);
    }
    this.child.kill('SIGKILL');
    throw new Error(`The program was not ready after ${READY_MS} ms:\n${this.output}`);
  }

  private readiness(): Promise<number> {
    return new Promise((resolve) => {
      const probe = httpRequest({ host: '127.0.0.1', port: this.port, path: '/readyz', agent: false, timeout: 2000 }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      probe.on('error', () => resolve(0)).on('timeout', () => probe.destroy());
      probe.end();
    });
  }

  /** Stops it when nobody has anything more to ask, and fails unless it left well. */
  async stop(): Promise<void> {
    closeConnections(this.port);
    await this.stopBusy();
  }

  /** The same, with whatever clients are doing. */
  async stopBusy(): Promise<void> {
    this.child.kill('SIGTERM');
    await this.expectEnd(STOP_MS);
    const left = JSON.stringify(this.ended);
    this.expectNoReport();
    if (this.ended?.code !== 0) throw new Error(`The program ended with ${left}:\n${this.output.slice(-8000)}`);
    this.clean();
  }

  /** Ends it in the middle of whatever it does. */
  async kill(): Promise<void> {
    if (this.ended)
      throw new Error(`The program had ended before it was killed, with ${JSON.stringify(this.ended)}:\n${this.output.slice(-8000)}`);
    this.child.kill('SIGKILL');
    await this.end;
    closeConnections(this.port);
    this.expectNoReport();
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Waits for its end, however it comes; kills it and fails when that takes longer than allowed. */
  async expectEnd(most: number): Promise<void> {
    const timer = setTimeout(() => this.child.kill('SIGKILL'), most);
    await this.end;
    clearTimeout(timer);
    if (this.ended?.signal === 'SIGKILL') throw new Error(`The program did not end within ${most} ms:\n${this.output.slice(-8000)}`);
  }

  /** Waits for a log line. */
  async line(fits: (line: LogLine) => boolean, most = 5000): Promise<LogLine> {
    const until = Date.now() + most;
    for (;;) {
      const found = this.lines.find(fits);
      if (found) return found;
      if (Date.now() > until) throw new Error(`No such log line within ${most} ms:\n${this.output.slice(-4000)}`);
      await sleep(10);
    }
  }

  /** What a metric without labels says. */
  async metric(name: string): Promise<number> {
    const { text } = await exchangeRaw(this, 'GET', '/metrics', {});
    const value = new RegExp(`^folkmoot_${name} (\\d+)$`, 'm').exec(text)?.[1];
    if (value === undefined) throw new Error(`There is no metric ${name}.`);
    return Number(value);
  }

  /** Waits until a metric has come to a value. */
  async metricReaches(name: string, least: number, most = 10_000): Promise<void> {
    for (const until = Date.now() + most; ; await sleep(10)) {
      const value = await this.metric(name);
      if (value >= least) return;
      if (Date.now() > until) throw new Error(`The metric ${name} was at ${value} instead of ${least} after ${most} ms.`);
    }
  }

  private expectNoReport(): void {
    const report = this.stray.join('\n');
    if (REPORTS.test(report)) throw new Error(`A sanitizer reports:\n${report}`);
  }

  private clean(): void {
    if (this.ownsPlace) this.place.remove();
  }

  private collect(line: string): void {
    try {
      this.lines.push(JSON.parse(line) as LogLine);
    } catch {
      this.stray.push(line);
    }
  }
}
