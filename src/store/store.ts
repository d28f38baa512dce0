import type { Role } from '../api/access.ts';
import type { JobSpec } from '../api/job-spec.ts';
import type { DeliveriesQuery, NumberedDelivery, StoredAlert, StoredDelivery } from './alert-rows.ts';
import type { StoredBudget, StoredInstance, StoredInstancesQuery } from './instance-rows.ts';

export type {
  DeliveriesQuery,
  NumberedDelivery,
  StoredAlert,
  StoredBudget,
  StoredDelivery,
  StoredInstance,
  StoredInstancesQuery,
};

/**
 * The durable memory of one coordinator. Rows mirror what the coordinator holds: it hands over what changed, whole, and the store
 * makes one transaction of it. Blobs are opaque here; core/ packs and unpacks them.
 */
export interface Store {
  /** Identity of this store, made once, carried by every external record. */
  readonly storeId: string;
  /** Grows with every opening; a commit under an older epoch is refused with STORE_LOCKED. */
  readonly epoch: number;
  /** Everything that is live. */
  load(): Promise<LoadedState>;
  /**
   * Durable when it resolves (fdatasync). All or nothing. Rejects with STORE_FULL (no space: nothing written, works again by itself
   * when there is space), STORE_LOCKED (another coordinator took the store) or STORE_FAILED.
   */
  commit(batch: Batch): Promise<void>;
  /** A job, live or ended, with its pages and dependents. */
  loadJob(id: number): Promise<LoadedJob | undefined>;
  /** Newest first. */
  findJobs(query: StoredJobsQuery): Promise<StoredJob[]>;
  /** Ends of one job in the order they were committed, `limit` chunks at a time. */
  findEnds(query: EndsQuery): Promise<StoredEnds[]>;
  findKey(owner: string, key: string): Promise<StoredKey | undefined>;
  /** Sessions by id, closed ones too. */
  findSessions(ids: readonly number[]): Promise<StoredSession[]>;
  /** Terminated instances, newest first. */
  findInstances(query: StoredInstancesQuery): Promise<StoredInstance[]>;
  findEvents(query: EventsQuery): Promise<StoredEvent[]>;
  /** Newest first. */
  findDeliveries(query: DeliveriesQuery): Promise<NumberedDelivery[]>;
  /** Bytes of the database, its log included. */
  size(): Promise<number>;
  /** Waits for commits under way; safe to call twice. */
  close(): Promise<void>;
}

export interface Counters {
  nextJob: number;
  /** Raw integer ids of tasks; starts at 10^9. */
  nextRaw: number;
  nextFence: number;
  nextSession: number;
}

/** What never changes of a job. */
export interface StoredJobFixed {
  id: number;
  arrayId: string;
  name: string;
  owner: string;
  tenant: string;
  spec: JobSpec;
  /** Canonical wire index set; '' for a job that is not an array. */
  indices: string;
  size: number;
  rawIdBase: number;
  createdAt: number;
}

/** What changes. Written whole. */
export interface StoredJobState {
  held: boolean;
  throttle: number;
  priority: number;
  /** Tasks by state, in the order of TaskState; leased and running counted as ready. */
  counts: readonly number[];
  startedAt: number;
  /** 0 while live; live jobs are loaded at start. */
  endedAt: number;
  exitCode: number;
  retried: number;
  meanWallUs: number;
  /** Decided state of each dependency term, and other rarely changing facts; JSON. */
  extra: string;
}

export interface StoredJob extends StoredJobFixed, StoredJobState {}

/** Packed columns of up to PAGE_TASKS consecutive tasks (core/task-page.ts). */
export interface StoredPage {
  jobId: number;
  page: number;
  data: Uint8Array;
}

/** One open grant range (core/grant.ts packs `data`). */
export interface StoredGrant {
  /** Its first fence: the key. */
  fence: number;
  sessionId: number;
  jobId: number;
  position: number;
  count: number;
  data: Uint8Array;
}

/** Many ended attempts of one job (core/end-chunk.ts packs `data`). */
export interface StoredEnds {
  /** Given by the store, grows. */
  id: number;
  jobId: number;
  minPosition: number;
  maxPosition: number;
  count: number;
  /** How many of them were no success. */
  bad: number;
  data: Uint8Array;
}

export interface StoredSession {
  id: number;
  worker: string;
  host: string;
  pid: number;
  instance: string;
  openedAt: number;
  /** 0 while open; open sessions are loaded at start. */
  closedAt: number;
  /** JSON: resources, boot id, forker pid, versions. */
  detail: string;
}

export interface StoredToken {
  /** Never given twice. */
  id: number;
  name: string;
  role: Role;
  owner: string;
  tenant: string;
  /** SHA-256 of the secret part, in hex. */
  hash: string;
  createdAt: number;
  /** 0 = never. */
  expiresAt: number;
  /** 0 = it is valid. */
  revokedAt: number;
  /** To the hour; 0 = never used. */
  lastUsedAt: number;
}

export interface StoredKey {
  owner: string;
  key: string;
  /** SHA-256 of the request's body. */
  bodyHash: string;
  jobId: number;
  at: number;
}

export interface StoredEvent {
  /** Given by the store, grows. */
  id: number;
  at: number;
  /** 0 when it is not about a job. */
  jobId: number;
  kind: string;
  /** JSON. */
  detail: string;
}

/** The tasks that a job has from now on. */
export interface Resized {
  id: number;
  indices: string;
  size: number;
  /** Where it is another one than before. */
  rawIdBase?: number;
}

export interface Batch {
  counters?: Counters;
  newJobs: readonly StoredJob[];
  jobs: readonly ({ id: number } & StoredJobState)[];
  pages: readonly StoredPage[];
  grants: readonly StoredGrant[];
  /** Fences (keys) of grant ranges that are no more. */
  closedGrants: readonly number[];
  ends: readonly Omit<StoredEnds, 'id'>[];
  /** Inserted or replaced. */
  sessions: readonly StoredSession[];
  /** Inserted or replaced. */
  instances?: readonly StoredInstance[];
  /** Inserted or replaced. */
  budgets?: readonly StoredBudget[];
  /** Ids of instances to forget. */
  droppedInstances?: readonly string[];
  /** Jobs whose index set changed: the fixed row is written again. */
  resized?: readonly Resized[];
  /** Inserted or replaced. */
  alerts?: readonly StoredAlert[];
  /** Inserted or replaced. */
  deliveries?: readonly StoredDelivery[];
  /** So many of the oldest that are over and were made before this time, and alerts that were deleted before it, but for the newest alert. */
  forgottenDeliveries?: { readonly before: number; readonly count: number };
  /** Inserted or replaced. */
  tokens: readonly StoredToken[];
  /** Ids of tokens to forget; one that is not there is nothing. */
  droppedTokens: readonly number[];
  /** `jobId` waits for `dependsOn`; inserted if new. */
  dependencies: readonly { jobId: number; dependsOn: number }[];
  keys: readonly StoredKey[];
  events: readonly Omit<StoredEvent, 'id'>[];
  /** So many of the oldest ends of a job that is about to be deleted, which may have more than one commit should remove. */
  deletedEnds?: readonly { jobId: number; count: number }[];
  /**
   * Ended jobs that are gone with all that belongs to them: pages, ends, dependencies both ways, keys, events, deliveries that are over, instances and the closed sessions
   * of these (`bound.jobId` in their detail). One with an instance that is not terminated is refused.
   */
  deletedJobs?: readonly number[];
}

export interface LoadedJob {
  job: StoredJob;
  pages: StoredPage[];
  /** Jobs that wait, or waited, for this one. */
  dependents: number[];
}

export interface LoadedState {
  counters: Counters;
  jobs: LoadedJob[];
  grants: StoredGrant[];
  sessions: StoredSession[];
  /** All of them, also those that are valid no more. */
  tokens: StoredToken[];
  /** Those that are not terminated, and those of live jobs; in the order of job, position and generation. */
  instances: StoredInstance[];
  budgets: StoredBudget[];
  /** Those that hold, and the newest one. */
  alerts: StoredAlert[];
  /** Those that are to be tried, in the order in which they came. */
  deliveries: StoredDelivery[];
  /** Those of live jobs that are over. */
  delivered: { id: string; jobId: number }[];
}

export interface StoredJobsQuery {
  live: boolean;
  name?: string;
  /** The name that Slurm's commands show: the one in `extra` (`slurm.name`), else that of the spec, else `name`. */
  slurmName?: string;
  /** Only jobs that were submitted with a workflow of this name. */
  workflowName?: string;
  arrayId?: string;
  /** Only one: the job with the largest rawIdBase up to this one. */
  rawId?: number;
  /** Only those that ended at this time or later, epoch ms; the last to end comes first, but with `above`. Not with `before`. */
  endedFrom?: number;
  /** Only ids below this one. */
  before?: number;
  /** Only ids above this one, the smallest first. Not with `before`. */
  above?: number;
  /** Only arrays, or only jobs that are none. */
  array?: boolean;
  /** Only these. */
  ids?: readonly number[];
  limit: number;
}

export interface EndsQuery {
  jobId: number;
  /** Chunks that touch [fromPosition, toPosition]. */
  fromPosition: number;
  toPosition: number;
  /** Only chunks with a greater id. */
  after: number;
  limit: number;
  /** Only chunks that hold an end which was no success. */
  bad?: boolean;
  /** Newest first. */
  newest?: boolean;
}

export interface EventsQuery {
  jobId?: number;
  after: number;
  limit: number;
}
