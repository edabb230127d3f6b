// A PostgreSQL of our own, started by tools/postgres_cluster.sh in a folder of its own.
import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
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

  /** Kills all of it and starts it again, at another address. */
  killAll(): void {
    const [pid] = readFileSync(join(this.folder, 'data/postmaster.pid'), 'utf8').split('\n');
    process.kill(Number(pid), 'SIGKILL');
    this.url = execFileSync(script, ['start', this.folder], { encoding: 'utf8' }).trim();
  }

  stop(): void {
    execFileSync(script, ['stop', this.folder]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
