// A PostgreSQL of our own, started by tools/postgres_cluster.sh in a folder of its own.
import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { psql } from './database.ts';
import { project } from './paths.ts';

const script = resolve(project, 'tools/postgres_cluster.sh');
const inBackground = promisify(execFile);

export class Cluster {
  private constructor(
    readonly folder: string,
    public url: string,
  ) {}

  /** Starts one. Without `durable` it does not wait for the disk, which only a power failure could tell. */
  static start(durable = false): Cluster {
    const folder = mkdtempSync(join(tmpdir(), 'folkmoot-cluster-'));
    chmodSync(folder, 0o755); // the server runs as another user when the tests run as root
    const options = durable ? [] : ['--no-fsync'];
    const url = execFileSync(script, ['start', folder, ...options], { encoding: 'utf8' }).trim();
    return new Cluster(folder, url);
  }

  /** Stops and starts it again at the same address, as an upgrade of the package would. */
  async restart(): Promise<void> {
    await inBackground(script, ['restart', this.folder]);
  }

  /** Kills one of its processes: it ends all others, recovers, and goes on at the same address. */
  killProcess(): void {
    const pid = psql(
      `SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() LIMIT 1;`,
      this.url,
    );
    if (pid) process.kill(Number(pid), 'SIGKILL');
  }

  /** Kills all of it, as a power failure would, and starts it again, at another address. */
  async killAll(): Promise<void> {
    const file = join(this.folder, 'data/postmaster.pid');
    const first = Number(readFileSync(file, 'utf8').split('\n')[0]);
    const all = [first, ...childrenOf(first)];
    for (const pid of all) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    for (const until = Date.now() + 5000; all.some(isAlive) && Date.now() < until;) await sleep(5);
    rmSync(file, { force: true }); // it would be taken for running where nobody clears away ended processes
    this.url = execFileSync(script, ['start', this.folder], { encoding: 'utf8' }).trim();
  }

  stop(): void {
    execFileSync(script, ['stop', this.folder]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const statusOf = (pid: number | string): string => {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return ''; // it has ended
  }
};

const isAlive = (pid: number): boolean => /^State:\s+[^ZX]/m.test(statusOf(pid));

function childrenOf(parent: number): number[] {
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return processes.filter((pid) => new RegExp(`^PPid:\\s+${parent}$`, 'm').test(statusOf(pid))).map(Number);
}
