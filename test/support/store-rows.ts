import { JobSpec } from '../../src/api/job-spec.ts';
import type {
  Batch,
  Store,
  StoredAlert,
  StoredDelivery,
  StoredEnds,
  StoredGrant,
  StoredInstance,
  StoredJob,
  StoredSession,
  StoredToken,
} from '../../src/store/store.ts';

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
    tokens: [],
    droppedTokens: [],
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

export function aToken(id: number, parts: Partial<StoredToken> = {}): StoredToken {
  return {
    id,
    name: `token-${id}`,
    role: 'submit',
    owner: 'ada',
    tenant: 'local',
    hash: id.toString(16).padStart(64, '0'),
    createdAt: 1_767_225_600_000,
    expiresAt: 0,
    revokedAt: 0,
    lastUsedAt: 0,
    ...parts,
  };
}

export function anInstance(number: number, parts: Partial<StoredInstance> = {}): StoredInstance {
  return {
    id: `i-${number.toString(16).padStart(17, '0')}`,
    jobId: 1,
    position: number,
    generation: 1,
    owner: '1000',
    tenant: 'default',
    createdAt: 1_767_225_600_000,
    endedAt: 0,
    detail: `{"number":${number}}`,
    ...parts,
  };
}

export function anAlert(id: number, parts: Partial<StoredAlert> = {}): StoredAlert {
  return { id, owner: 'ada', tenant: 'local', createdAt: 7, deletedAt: 0, detail: `{"number":${id}}`, ...parts };
}

/** One of the spec of job 1 that waits. */
export function aDelivery(id: string, parts: Partial<StoredDelivery> = {}): StoredDelivery {
  const whose = { owner: '1000', tenant: 'default' };
  return { id, alertId: 0, jobId: 1, ...whose, createdAt: 7, nextAt: 8, detail: '{}', ...parts };
}

export function aGrant(fence: number, parts: Partial<StoredGrant> = {}): StoredGrant {
  return { fence, sessionId: 1, jobId: 1, position: 0, count: 1, data: bytes(1, 2), ...parts };
}

export function someEnds(minPosition: number, maxPosition: number, jobId = 1): Omit<StoredEnds, 'id'> {
  return { jobId, minPosition, maxPosition, count: maxPosition - minPosition + 1, bad: 1, data: bytes(minPosition, 7) };
}

export function bytes(...values: number[]): Uint8Array {
  return Uint8Array.from(values);
}

/** Job `number` with two pages, a grant, ends and an event, so that half a batch would be seen. */
export function numberedBatch(number: number): Batch {
  const data = new Uint8Array(3_000).fill(number % 251);
  return aBatch({
    counters: { nextJob: number + 1, nextRaw: 1_000_000_000, nextFence: number + 1, nextSession: 2 },
    newJobs: [aJob(number)],
    sessions: [aSession(1)],
    pages: [
      { jobId: number, page: 0, data },
      { jobId: number, page: 1, data },
    ],
    grants: [aGrant(number, { jobId: number })],
    closedGrants: [number - 1],
    ends: [someEnds(0, 9, number)],
    events: [{ at: number, jobId: number, kind: 'batch', detail: '{}' }],
  });
}

/** Which numbered batches are in a store, in order; throws when one is there in part. */
export async function readNumberedBatches(store: Store): Promise<number[]> {
  const { jobs, counters, grants } = await store.load();
  const ends = (jobId: number) =>
    store.findEnds({ jobId, fromPosition: 0, toPosition: 9, after: 0, limit: 10 }).then((found) => found.length);
  for (const { job, pages } of jobs) {
    const events = await store.findEvents({ jobId: job.id, after: 0, limit: 10 });
    const parts = `${pages.length} ${await ends(job.id)} ${events.length}`;
    const isWhole = pages.every(({ data }) => data.length === 3_000 && data.every((byte) => byte === job.id % 251));
    if (parts !== '2 1 1' || !isWhole) throw new Error(`batch ${job.id} is there in part: ${parts}`);
  }
  const last = jobs.at(-1)?.job.id ?? 0;
  if (counters.nextJob !== last + 1 || grants.map(({ fence }) => fence).join() !== (last === 0 ? '' : `${last}`)) {
    throw new Error(`after batch ${last}: counters ${JSON.stringify(counters)}, ${grants.length} grants`);
  }
  return jobs.map(({ job }) => job.id);
}
