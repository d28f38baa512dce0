import { completeSpec } from '../../src/api/spec-defaults.ts';
import { slurmNameOf } from '../../src/coordinator/job-row.ts';
import { SpawnError } from '../../src/core/errors.ts';
import type {
  Batch,
  Counters,
  DeliveriesQuery,
  EndsQuery,
  EventsQuery,
  LoadedJob,
  LoadedState,
  NumberedDelivery,
  Store,
  StoredAlert,
  StoredBudget,
  StoredEnds,
  StoredEvent,
  StoredGrant,
  StoredInstance,
  StoredInstancesQuery,
  StoredJob,
  StoredJobState,
  StoredJobsQuery,
  StoredKey,
  StoredSession,
  StoredToken,
} from '../../src/store/store.ts';
import { findDeliveries, loadAlerts, writeAlerts } from './memory-alerts.ts';
import { findBroken, keyOf } from './memory-checks.ts';
import { copyBatch, copyData } from './memory-copies.ts';
import { deleteJobs, findLive } from './memory-deletes.ts';
import { findInstances, loadInstances, writeInstances } from './memory-instances.ts';

/**
 * What happens to a commit:
 * - `ok`: written
 * - `fail`: refused with STORE_FULL, nothing written, the store goes on
 * - `crashBefore`, `crashAfter`: the process dies before or after it was durable. This store never answers again, to this
 *   call or any other; the disk can be opened anew.
 */
export type CommitFate = 'ok' | 'fail' | 'crashBefore' | 'crashAfter';

export interface MemoryStoreHooks {
  /** Asked once a commit, in their order; a promise delays it. Default `ok`. */
  beforeCommit?(batch: Batch): CommitFate | Promise<CommitFate>;
}

export interface Content {
  counters: Counters;
  jobs: Map<number, StoredJob>;
  pages: Map<number, Map<number, Uint8Array>>;
  grants: Map<number, StoredGrant>;
  ends: StoredEnds[];
  sessions: Map<number, StoredSession>;
  tokens: Map<number, StoredToken>;
  instances: Map<string, StoredInstance>;
  budgets: Map<string, StoredBudget>;
  alerts: Map<number, StoredAlert>;
  /** In the order in which they came. */
  deliveries: Map<string, NumberedDelivery>;
  dependents: Map<number, Set<number>>;
  keys: Map<string, StoredKey>;
  events: StoredEvent[];
}

/** What outlives a process: stores are opened on it one after another. */
export class MemoryDisk {
  readonly storeId: string;
  epoch = 0;
  content: Content = {
    counters: { nextJob: 1, nextRaw: 1_000_000_000, nextFence: 1, nextSession: 1 },
    jobs: new Map(),
    pages: new Map(),
    grants: new Map(),
    ends: [],
    sessions: new Map(),
    tokens: new Map(),
    instances: new Map(),
    budgets: new Map(),
    alerts: new Map(),
    deliveries: new Map(),
    dependents: new Map(),
    keys: new Map(),
    events: [],
  };

  constructor(storeId = 'feedfeedfeed') {
    this.storeId = storeId;
  }
}

/** Begins a new epoch, which fences an older store that is still open on this disk. Uses no timers and no chance. */
export function openMemoryStore(disk: MemoryDisk, hooks: MemoryStoreHooks = {}): Store {
  disk.epoch += 1;
  return new MemoryStore(disk, hooks);
}

class MemoryStore implements Store {
  readonly storeId: string;
  readonly epoch: number;
  readonly #disk: MemoryDisk;
  readonly #hooks: MemoryStoreHooks;
  #state: 'open' | 'closed' | 'crashed' = 'open';
  /** The end of the newest call: calls take effect one after another. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(disk: MemoryDisk, hooks: MemoryStoreHooks) {
    this.storeId = disk.storeId;
    this.epoch = disk.epoch;
    this.#disk = disk;
    this.#hooks = hooks;
  }

  commit(batch: Batch): Promise<void> {
    const given = copyBatch(batch);
    return this.#inOrder(async () => {
      const fate = (await this.#hooks.beforeCommit?.(given)) ?? 'ok';
      if (fate === 'fail') throw new SpawnError('STORE_FULL', { why: 'the test said so' });
      if (fate !== 'crashBefore') {
        if (this.#disk.epoch !== this.epoch) throw new SpawnError('STORE_LOCKED', { host: 'elsewhere', pid: 0 });
        write(this.#disk.content, given);
      }
      if (fate !== 'ok') {
        this.#state = 'crashed';
        return new Promise<never>(() => {});
      }
    });
  }

  load(): Promise<LoadedState> {
    return this.#read(({ counters, jobs, grants, sessions, tokens }, content) => ({
      counters: { ...counters },
      jobs: sorted(jobs.values(), (job) => job.id)
        .filter((job) => job.endedAt === 0)
        .map((job) => loadOne(content, job)),
      grants: sorted(grants.values(), (grant) => grant.fence).map(copyData),
      sessions: sorted(sessions.values(), (session) => session.id)
        .filter((session) => session.closedAt === 0)
        .map((session) => ({ ...session })),
      tokens: sorted(tokens.values(), (token) => token.id).map((token) => ({ ...token })),
      ...loadInstances(content),
      ...loadAlerts(content),
    }));
  }

  loadJob(id: number): Promise<LoadedJob | undefined> {
    return this.#read((content) => {
      const job = content.jobs.get(id);
      return job === undefined ? undefined : loadOne(content, job);
    });
  }

  findJobs(query: StoredJobsQuery): Promise<StoredJob[]> {
    const fits = (job: StoredJob) =>
      (job.endedAt === 0) === query.live &&
      (query.name === undefined || job.name === query.name) &&
      (query.slurmName === undefined || slurmNameOf(job) === query.slurmName) &&
      (query.workflowName === undefined || job.spec.workflow?.name === query.workflowName) &&
      (query.rawId === undefined || job.id === holder) &&
      (query.arrayId === undefined || job.arrayId === query.arrayId) &&
      (query.endedFrom === undefined || job.endedAt >= query.endedFrom) &&
      (query.before === undefined || job.id < query.before) &&
      (query.above === undefined || job.id > query.above) &&
      (query.array === undefined || (job.indices !== '') === query.array) &&
      (query.ids === undefined || query.ids.includes(job.id));
    let holder: number | undefined;
    return this.#read(({ jobs }) => {
      const before = [...jobs.values()].filter(({ rawIdBase }) => rawIdBase <= (query.rawId ?? 0));
      holder = sorted(before, ({ rawIdBase }) => -rawIdBase)[0]?.id;
      const byId = sorted([...jobs.values()].filter(fits), (job) => (query.above === undefined ? -job.id : job.id));
      return (query.endedFrom === undefined || query.above !== undefined ? byId : sorted(byId, (job) => -job.endedAt))
        .slice(0, query.limit)
        .map((job) => ({ ...job, spec: completeSpec(job.spec) }));
    });
  }

  findEnds({ jobId, fromPosition, toPosition, after, limit, bad, newest }: EndsQuery): Promise<StoredEnds[]> {
    const fits = (ends: StoredEnds) =>
      ends.jobId === jobId &&
      ends.id > after &&
      ends.maxPosition >= fromPosition &&
      ends.minPosition <= toPosition &&
      (bad !== true || ends.bad > 0);
    return this.#read(({ ends }) => {
      const found = ends.filter(fits);
      return (newest === true ? found.reverse() : found).slice(0, limit).map(copyData);
    });
  }

  findKey(owner: string, key: string): Promise<StoredKey | undefined> {
    return this.#read(({ keys }) => {
      const found = keys.get(keyOf(owner, key));
      return found === undefined ? undefined : { ...found };
    });
  }

  findSessions(ids: readonly number[]): Promise<StoredSession[]> {
    return this.#read(({ sessions }) =>
      sorted(sessions.values(), (session) => session.id)
        .filter(({ id }) => ids.includes(id))
        .map((session) => ({ ...session })),
    );
  }

  findInstances(query: StoredInstancesQuery): Promise<StoredInstance[]> {
    return this.#read((content) => findInstances(content, query));
  }

  findEvents({ jobId, after, limit }: EventsQuery): Promise<StoredEvent[]> {
    return this.#read(({ events }) =>
      events
        .filter((event) => event.id > after && (jobId === undefined || event.jobId === jobId))
        .slice(0, limit)
        .map((event) => ({ ...event })),
    );
  }

  findDeliveries(query: DeliveriesQuery): Promise<NumberedDelivery[]> {
    return this.#read((content) => findDeliveries(content, query));
  }

  size(): Promise<number> {
    return this.#read(({ jobs, pages, ends, grants, events }) => {
      const data = [...[...pages.values()].flatMap((of) => [...of.values()]), ...ends.map((chunk) => chunk.data)];
      const rows = (jobs.size + grants.size + ends.length + events.length) * 100;
      return data.reduce((sum, { byteLength }) => sum + byteLength, rows);
    });
  }

  async close(): Promise<void> {
    if (this.#state === 'open') await this.#inOrder(async () => {});
    if (this.#state === 'open') this.#state = 'closed';
  }

  #read<T>(read: (content: Content, same: Content) => T): Promise<T> {
    return this.#inOrder(async () => read(this.#disk.content, this.#disk.content));
  }

  #inOrder<T>(call: () => Promise<T>): Promise<T> {
    if (this.#state === 'closed') return Promise.reject(new SpawnError('STORE_FAILED', { why: 'it is closed' }));
    if (this.#state === 'crashed') return new Promise<never>(() => {});
    const result = this.#last.then(call);
    this.#last = result.catch(() => {});
    return result;
  }
}

/** All or nothing: works on a copy of what it touches only after everything was checked. */
function write(to: Content, batch: Batch): void {
  const broken = findBroken(to, batch) ?? findLive(to, batch);
  if (broken !== undefined) throw new SpawnError('STORE_FAILED', { why: broken });
  if (batch.counters !== undefined) to.counters = batch.counters;
  for (const job of batch.newJobs) to.jobs.set(job.id, job);
  for (const state of batch.jobs) to.jobs.set(state.id, { ...to.jobs.get(state.id)!, ...changing(state) });
  for (const session of batch.sessions) to.sessions.set(session.id, session);
  writeInstances(to, batch);
  writeAlerts(to, batch);
  for (const token of batch.tokens) to.tokens.set(token.id, token);
  for (const id of batch.droppedTokens) to.tokens.delete(id);
  for (const { jobId, page, data } of batch.pages) {
    to.pages.set(jobId, (to.pages.get(jobId) ?? new Map<number, Uint8Array>()).set(page, data));
  }
  for (const grant of batch.grants) to.grants.set(grant.fence, grant);
  for (const fence of batch.closedGrants) to.grants.delete(fence);
  for (const ends of batch.ends) to.ends.push({ id: (to.ends.at(-1)?.id ?? 0) + 1, ...ends });
  for (const { jobId, dependsOn } of batch.dependencies) {
    to.dependents.set(dependsOn, (to.dependents.get(dependsOn) ?? new Set<number>()).add(jobId));
  }
  for (const key of batch.keys) to.keys.set(keyOf(key.owner, key.key), key);
  for (const event of batch.events) to.events.push({ id: (to.events.at(-1)?.id ?? 0) + 1, ...event });
  deleteJobs(to, batch);
}

function changing(state: StoredJobState): StoredJobState {
  const { held, throttle, priority, counts, startedAt, endedAt, exitCode, retried, meanWallUs, extra } = state;
  return { held, throttle, priority, counts, startedAt, endedAt, exitCode, retried, meanWallUs, extra };
}

function loadOne(content: Content, job: StoredJob): LoadedJob {
  const pages = [...(content.pages.get(job.id) ?? [])].map(([page, data]) => ({ jobId: job.id, page, data }));
  return {
    job: { ...job, spec: completeSpec(job.spec), counts: [...job.counts] },
    pages: sorted(pages, ({ page }) => page).map(copyData),
    dependents: [...(content.dependents.get(job.id) ?? [])].toSorted((a, b) => a - b),
  };
}

function sorted<T>(values: Iterable<T>, by: (value: T) => number): T[] {
  return [...values].toSorted((a, b) => by(a) - by(b));
}
