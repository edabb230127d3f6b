// The closing line of a run, and its last check: every operation of the published document was tried, with success and with a refusal.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';
import { generated, project } from './paths.ts';

// What nobody can be refused.
const NEVER_REFUSED = new Set(['read_community', 'read_sign_up']);

export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>, errors: ReadonlyArray<SerializedError>): void {
    const states = modules.flatMap((module) => [...module.children.allTests()].map((test) => test.result().state));
    const count = (state: string): number => states.filter((each) => each === state).length;
    const broken = modules.filter(
      (module) => module.state() === 'failed' && ![...module.children.allTests()].some((test) => test.result().state === 'failed'),
    );
    const untested = this.isWhole(modules) ? untestedOperations() : [];
    for (const line of untested) console.log(`No test: ${line}.`);
    const failed = count('failed') + broken.length + errors.length + untested.length;
    if (failed > 0) process.exitCode = 1;
    // Behind all that others have to say.
    process.once('exit', () => console.log(`\n${count('passed')} passed, ${failed} failed, ${count('skipped')} skipped`));
  }

  /** Whether all files of the API tests ran, whole: only then is a missing operation a fault. */
  private isWhole(modules: ReadonlyArray<TestModule>): boolean {
    const folder = join(project, 'tests/api');
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.test.ts'));
    const ran = new Set(modules.map((module) => module.moduleId));
    const narrowed = process.argv.some((argument) => argument === '-t' || argument.startsWith('--testNamePattern'));
    return !narrowed && files.length > 0 && files.every((name) => ran.has(join(folder, name)));
  }
}

function untestedOperations(): string[] {
  const document = JSON.parse(readFileSync(join(generated, 'openapi.json'), 'utf8')) as {
    paths: Record<string, Record<string, { operationId?: string }>>;
  };
  const names = Object.values(document.paths).flatMap((path) => Object.values(path).flatMap((operation) => operation.operationId ?? []));
  const file = join(process.env.FOLKMOOT_TEST_SCRATCH ?? '', 'operations');
  const seen = new Set(existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []);
  const done = names.filter((name) => !seen.has(`${name} done`)).map((name) => `${name} never succeeded`);
  const refused = names
    .filter((name) => !seen.has(`${name} refused`) && !NEVER_REFUSED.has(name))
    .map((name) => `${name} was never refused`);
  return [...done, ...refused];
}
