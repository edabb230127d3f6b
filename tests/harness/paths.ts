// Where things are: the project, the program under test, and data that only some machines have.
import { existsSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const project = fileURLToPath(new URL('../..', import.meta.url));
export const binary = resolve(process.env.FOLKMOOT_BINARY ?? resolve(project, 'build/folkmoot'));
export const openapi = readdirSync(resolve(project, 'openapi')).map((file) => resolve(project, 'openapi', file));
export const generated = resolve(project, 'tests/generated');
export const fixtures = resolve(project, 'tests/fixtures');

/** The conversations that the import is measured with; undefined where they are not. */
export function polisData(): string | undefined {
  const folder = resolve(project, process.env.FOLKMOOT_POLIS_DATA ?? '../shared/data/polis');
  return existsSync(folder) ? folder : undefined;
}
