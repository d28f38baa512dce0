import { JobSpec } from '../../src/api/job-spec.ts';
import type { Batch, StoredEnds, StoredGrant, StoredJob, StoredSession } from '../../src/store/store.ts';

/** A batch of nothing but what is given. */
export function aBatch(parts: Partial<Batch> = {}): Batch {
  return {
    newJobs: [],
    jobs: [],
    pages: [],
    grants: [],
    closedGrants: [],
    ends: [],
    sessions: [],
    dependencies: [],
    keys: [],
    events: [],
    ...parts,
  };
}

/** A live job of ten tasks. */
export function aJob(id: number, parts: Partial<StoredJob> = {}): StoredJob {
  return {
    id,
    arrayId: `sweep-20260101-${id.toString(16).padStart(6, '0')}`,
    name: 'sweep',
    owner: '1000',
    tenant: 'default',
    spec: JobSpec.parse({ run: { kind: 'argv', argv: ['true'] }, cwd: '/tmp' }),
    indices: '0-9',
    size: 10,
    rawIdBase: 1_000_000_000 + id * 10,
    createdAt: 1_767_225_600_000,
    held: false,
    throttle: 0,
    priority: 0,
    counts: [0, 10, 0, 0, 0, 0, 0, 0],
    startedAt: 0,
    endedAt: 0,
    exitCode: 0,
    retried: 0,
    meanWallUs: 0,
    extra: '{}',
    ...parts,
  };
}

export function aSession(id: number, parts: Partial<StoredSession> = {}): StoredSession {
  return {
    id,
    worker: `worker-${id}`,
    host: 'node-1',
    pid: 4000 + id,
    instance: '',
    openedAt: 1_767_225_600_000,
    closedAt: 0,
    detail: '{"cpus":2}',
    ...parts,
  };
}

export function aGrant(fence: number, parts: Partial<StoredGrant> = {}): StoredGrant {
  return { fence, sessionId: 1, jobId: 1, position: 0, count: 1, data: bytes(1, 2), ...parts };
}

export function someEnds(minPosition: number, maxPosition: number, jobId = 1): Omit<StoredEnds, 'id'> {
  return { jobId, minPosition, maxPosition, count: maxPosition - minPosition + 1, data: bytes(minPosition, 7) };
}

export function bytes(...values: number[]): Uint8Array {
  return Uint8Array.from(values);
}
