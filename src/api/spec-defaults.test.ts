import { expect, test } from 'vitest';
import { JobSpec } from './job-spec.ts';
import { completeSpec } from './spec-defaults.ts';

/** Every field without which version 0.1.0 stored no spec. */
const OLD = {
  throttle: 0,
  run: { kind: 'argv', argv: ['true'] },
  env: {},
  cwd: '/tmp',
  umask: 0o022,
  cpus: 2,
  memoryBytes: 0,
  timeLimitMs: 0,
  graceMs: 5_000,
  retries: 3,
  retryDelayMs: 10,
  crashLimit: 5,
  invalidDependency: 'skip',
  hold: false,
  priority: 0,
  logCapBytes: 16_777_216,
};

test('a spec of version 0.1.0 gets what one that says nothing of the new fields gets today', () => {
  expect(completeSpec(OLD)).toEqual(JobSpec.parse(OLD));
});

test('what a spec says stays', () => {
  const spec = JobSpec.parse({ ...OLD, gpus: 0.5, resources: { licence: 1 }, retryBackoff: 'exponential', canary: 3 });
  expect(completeSpec(JSON.parse(JSON.stringify(spec)))).toEqual(spec);
});
