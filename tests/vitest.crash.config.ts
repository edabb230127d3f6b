// The crash test: kill -9 under mixed load. CRASH_ROUNDS says how often.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['crash/**/*.test.ts'],
    globalSetup: ['harness/setup.ts'],
    setupFiles: ['harness/cleanup.ts'],
    disableConsoleIntercept: true,
    reporters: ['default', './harness/reporter.ts'],
    pool: 'forks',
    poolOptions: { forks: { singleFork: true } },
    testTimeout: 3_600_000,
    hookTimeout: 60_000,
  },
});
