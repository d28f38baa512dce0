import { defineConfig } from 'vitest/config';

// Two cores, two files at a time. Whole-system tests mostly wait; each has a data directory, processes and addresses of its own.
export default defineConfig({
  test: {
    maxWorkers: 2,
    coverage: {
      provider: 'v8',
      reporter: [['text', { skipFull: true }]],
      reportOnFailure: true,
      include: ['src/core/**/*.ts'],
      exclude: ['**/*.test.ts'],
      thresholds: { branches: 100 },
    },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{src,examples}/**/*.test.ts', 'test/{architecture,docs,conformance,simulation}/**/*.test.ts'],
          testTimeout: 30_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/{e2e,instances,slurm}/**/*.test.ts'],
          globalSetup: ['test/support/global-setup.ts'],
          sequence: { groupOrder: 1 },
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
