// Before all tests: the generated client, the merged document, a PostgreSQL cluster if one is asked for. After all: nothing is left.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Cluster } from './cluster.ts';
import { kind } from './database.ts';
import { binary, generated, openapi, project } from './paths.ts';

const generator = resolve(project, 'tools/generate_api.py');

export default function setup(): () => void {
  if (!existsSync(binary)) throw new Error(`There is no program at ${binary}: build it, or name it in FOLKMOOT_BINARY.`);
  mkdirSync(generated, { recursive: true });
  generate('--typescript', join(generated, 'api.ts'));
  generate('--merge', join(generated, 'openapi.json'));

  const scratch = mkdtempSync(join(tmpdir(), 'folkmoot-tests-'));
  process.env.FOLKMOOT_TEST_SCRATCH = scratch;
  const cluster = kind === 'postgres' ? Cluster.start() : undefined;
  if (cluster) process.env.FOLKMOOT_TEST_CLUSTER = cluster.url;
  return () => {
    cluster?.stop();
    rmSync(scratch, { recursive: true, force: true });
  };
}

/** Makes a file of the OpenAPI documents, unless it is newer than they are. */
function generate(option: string, file: string): void {
  const sources = [...openapi, generator].map((path) => statSync(path).mtimeMs);
  if (existsSync(file) && statSync(file).mtimeMs > Math.max(...sources)) return;
  execFileSync('/usr/bin/python3', [generator, option, file, ...openapi], { stdio: ['ignore', 'inherit', 'inherit'] });
}
