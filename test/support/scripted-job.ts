import type { JobForWorker } from '../../src/api/session.ts';

/** A job of shell tasks that ends without saying anything; with the changes given. */
export function scriptedJob(id: number, text: string, changes: Partial<JobForWorker> = {}): JobForWorker {
  return {
    id,
    arrayId: `job-20260101-00000${id}`,
    name: 'job',
    owner: '0',
    isArray: true,
    indices: '0-999999',
    size: 1_000_000,
    throttle: 0,
    rawIdBase: 1_000_000_000,
    run: { kind: 'shell', text },
    env: {},
    cwd: '/',
    umask: 0o022,
    cpus: 1,
    memoryBytes: 0,
    timeLimitMs: 0,
    graceMs: 5_000,
    logCapBytes: 1_000_000,
    ...changes,
  };
}
