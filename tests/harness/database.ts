// A fresh database for one server: nothing to do for SQLite; for PostgreSQL a database with a role and a schema for each module,
// so that no module can read what another one keeps.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';

export const kind = process.env.FOLKMOOT_TEST_DATABASE === 'postgres' ? 'postgres' : 'sqlite';
const modules = ['identity', 'forum'] as const;
export type ModuleName = (typeof modules)[number];

/** Runs SQL; answers unaligned text, a line per row. */
export function psql(sql: string, url: string): string {
  const args = ['--no-psqlrc', '--quiet', '--tuples-only', '--no-align', '--set', 'ON_ERROR_STOP=1', '--dbname', url];
  return execFileSync('psql', args, { input: sql, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] }).trim();
}

function within(cluster: string, database: string, role?: string, password?: string): string {
  const url = new URL(cluster);
  if (role) url.username = role;
  if (password) url.password = password;
  url.pathname = `/${database}`;
  return url.href;
}

/** Names the cluster that this run started. */
function clusterOfRun(): string {
  const cluster = process.env.FOLKMOOT_TEST_CLUSTER;
  if (!cluster) throw new Error('No PostgreSQL cluster was started: run with FOLKMOOT_TEST_DATABASE=postgres.');
  return cluster;
}

export class Database {
  private readonly password = randomBytes(9).toString('hex');

  private constructor(
    private readonly name: string,
    public cluster: string,
  ) {}

  /** One for the database that this run tests; undefined for SQLite, which needs none. */
  static create(cluster?: string): Database | undefined {
    if (kind === 'sqlite' && !cluster) return undefined;
    const database = new Database(`folkmoot_${randomBytes(5).toString('hex')}`, cluster ?? clusterOfRun());
    database.make();
    return database;
  }

  private make(): void {
    const roles = modules.map((module) => `CREATE ROLE ${this.role(module)} LOGIN PASSWORD '${this.password}';`);
    psql(`CREATE DATABASE ${this.name};\n${roles.join(' ')}`, this.cluster);
    const own = modules.map(
      (module) =>
        `GRANT CONNECT ON DATABASE ${this.name} TO ${this.role(module)}; CREATE SCHEMA ${module} AUTHORIZATION ${this.role(module)};`,
    );
    this.asOwner(`REVOKE ALL ON SCHEMA public FROM PUBLIC; REVOKE ALL ON DATABASE ${this.name} FROM PUBLIC; ${own.join(' ')}`);
  }

  /** The server's options that make it use this database. */
  options(): Record<string, string> {
    return Object.fromEntries(modules.map((module) => [`database.${module}`, this.url(module)]));
  }

  /** The address under which one module reaches its part. */
  url(module: ModuleName): string {
    return within(this.cluster, this.name, this.role(module), this.password);
  }

  /** Runs SQL with all rights, for tests that look or meddle from outside. */
  asOwner(sql: string): string {
    return psql(sql, within(this.cluster, this.name));
  }

  private role(module: ModuleName): string {
    return `${this.name}_${module}`;
  }
}
