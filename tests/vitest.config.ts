// The API tests: the running program, once per database. FOLKMOOT_TEST_DATABASE says which.
import { defineConfig } from 'vitest/config';
import LongestFirst from './harness/sequencer.ts';

export default defineConfig({
  test: {
    include: ['api/**/*.test.ts'],
    globalSetup: ['harness/setup.ts'],
    setupFiles: ['harness/cleanup.ts'],
    reporters: ['default', './harness/reporter.ts'],
    sequence: { sequencer: LongestFirst },
    pool: 'forks',
    poolOptions: { forks: { minForks: 1, maxForks: 3 } },
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
