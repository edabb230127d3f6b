// Another process that holds a module's database and lets nobody write, until it is told to let go.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { ModuleName } from './database.ts';
import type { Place } from './server.ts';

const SQLITE = `
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute('BEGIN IMMEDIATE')
print('held', flush=True)
sys.stdin.read()
`;

/** Holds the database, of PostgreSQL one table; answers how to let go. */
export async function holdDatabase(place: Place, module: ModuleName, table: string): Promise<() => Promise<void>> {
  const child = place.database
    ? spawn('psql', ['--no-psqlrc', '--quiet', '--tuples-only', '--set', 'ON_ERROR_STOP=1', '--dbname', place.database.url(module)])
    : spawn('/usr/bin/python3', ['-c', SQLITE, join(place.data, `${module}.sqlite`)]);
  if (place.database) child.stdin.write(`BEGIN; LOCK TABLE ${module}.${table}; SELECT 'held';\n`);
  await Promise.race([
    once(child.stdout, 'data'),
    once(child, 'close').then(() => {
      throw new Error(`The database of ${module} could not be held.`);
    }),
  ]);
  return async () => {
    const closed = once(child, 'close');
    child.stdin.end();
    await closed;
  };
}
