import type { Directive } from '../api/instance-session.ts';
import { EndChunk } from '../core/end-chunk.ts';
import type { GrantRange } from '../core/grant-range.ts';
import type { Job } from '../core/job.ts';
import { packPage } from '../core/task-page.ts';
import type { WorkerSession } from '../core/worker-session.ts';
import type {
  Batch,
  Counters,
  Resized,
  StoredAlert,
  StoredBudget,
  StoredDelivery,
  StoredEvent,
  StoredInstance,
  StoredJobFixed,
  StoredKey,
  StoredSession,
  StoredToken,
} from '../store/store.ts';
import { jobState } from './job-row.ts';

/** What to tell a session once the changes are durable. */
export interface Outgoing {
  grants: Map<number, GrantRange[]>;
  revoke: [number, number][];
  cancel: [number, number][];
  drop: [number, number][];
  /** Another time limit for what is held. */
  limit: { timeLimitMs: number; fences: [number, number][] }[];
  /** In this order. */
  suspend: { on: boolean; fences: [number, number][] }[];
  signal: { signal: number; mainOnly: boolean; steps?: true; fences: [number, number][] }[];
  /** Of gangs in which the session has a member. */
  members: GrantRange[];
  memberEnd: [number, number][];
  /** Of gangs whose other nodes became ready, for the session with the grant. */
  gangs: GrantRange[];
  /** How the instance that the session serves shall be: the last word. */
  directive?: Directive;
}

/** All that changed since the last commit. */
export class Changes {
  readonly newJobs = new Map<Job, StoredJobFixed>();
  /** Jobs whose row, pages or counts changed. */
  readonly jobs = new Set<Job>();
  readonly grants = new Set<GrantRange>();
  readonly closedGrants: number[] = [];
  readonly ends = new Map<number, EndChunk>();
  readonly sessions = new Map<number, StoredSession>();
  readonly tokens = new Map<number, StoredToken>();
  readonly droppedTokens = new Set<number>();
  /** By id. */
  readonly instances = new Map<string, StoredInstance>();
  readonly droppedInstances = new Set<string>();
  /** By tenant and owner. */
  readonly budgets = new Map<string, StoredBudget>();
  readonly alerts = new Map<number, StoredAlert>();
  /** By id. */
  readonly deliveries = new Map<string, StoredDelivery>();
  /** See Batch. */
  forgottenDeliveries: Batch['forgottenDeliveries'];
  /** Index sets that were changed, by job. */
  readonly resized = new Map<number, Resized>();
  readonly dependencies: { jobId: number; dependsOn: number }[] = [];
  readonly keys: StoredKey[] = [];
  readonly events: Omit<StoredEvent, 'id'>[] = [];
  readonly deletedEnds: { jobId: number; count: number }[] = [];
  readonly deletedJobs: number[] = [];
  readonly outgoing = new Map<number, Outgoing>();
  /** Sessions that may want work ahead. */
  readonly topUp = new Set<WorkerSession>();
  /** Instance arrays where a task may be granted to the session of its instance. */
  readonly binding = new Set<number>();
  counters = false;

  get empty(): boolean {
    return (
      !this.counters &&
      this.newJobs.size === 0 &&
      this.jobs.size === 0 &&
      this.grants.size === 0 &&
      this.closedGrants.length === 0 &&
      this.ends.size === 0 &&
      this.sessions.size === 0 &&
      this.tokens.size === 0 &&
      this.droppedTokens.size === 0 &&
      this.instances.size === 0 &&
      this.droppedInstances.size === 0 &&
      this.budgets.size === 0 &&
      this.alerts.size === 0 &&
      this.deliveries.size === 0 &&
      this.forgottenDeliveries === undefined &&
      this.resized.size === 0 &&
      this.keys.length === 0 &&
      this.events.length === 0 &&
      this.deletedEnds.length === 0 &&
      this.deletedJobs.length === 0
    );
  }

  endsOf(jobId: number, endedAt: number): EndChunk {
    let chunk = this.ends.get(jobId);
    if (chunk === undefined) {
      chunk = new EndChunk(endedAt);
      this.ends.set(jobId, chunk);
    }
    return chunk;
  }

  tell(sessionId: number): Outgoing {
    let outgoing = this.outgoing.get(sessionId);
    if (outgoing === undefined) {
      outgoing = {
        grants: new Map(),
        revoke: [],
        cancel: [],
        drop: [],
        limit: [],
        suspend: [],
        signal: [],
        members: [],
        memberEnd: [],
        gangs: [],
      };
      this.outgoing.set(sessionId, outgoing);
    }
    return outgoing;
  }

  /** A range changed: it is written again, or removed when nothing in it is open. */
  grantChanged(range: GrantRange): void {
    if (range.open > 0) {
      this.grants.add(range);
      return;
    }
    this.grants.delete(range);
    this.closedGrants.push(range.fence);
  }

  event(at: number, jobId: number, kind: string, detail: Record<string, unknown>): void {
    this.events.push({ at, jobId, kind, detail: JSON.stringify(detail) });
  }

  /** Packs everything into one batch and starts anew. */
  take(counters: Counters): Batch {
    const pages = [...this.jobs].flatMap((job) => {
      const dirty = [...job.table.dirty].map((page) => ({ jobId: job.id, page, data: packPage(job.table, page) }));
      job.table.dirty.clear();
      return dirty;
    });
    const changed = [...this.jobs].filter((job) => !this.newJobs.has(job));
    const batch: Batch = {
      ...(this.counters ? { counters: { ...counters } } : {}),
      newJobs: [...this.newJobs].map(([job, fixed]) => ({ ...fixed, ...jobState(job) })),
      jobs: changed.map((job) => ({ id: job.id, ...jobState(job) })),
      pages,
      grants: [...this.grants].map((range) => ({
        fence: range.fence,
        sessionId: range.sessionId,
        jobId: range.jobId,
        position: range.position,
        count: range.count,
        data: range.pack(),
      })),
      closedGrants: [...this.closedGrants],
      ends: [...this.ends].map(([jobId, chunk]) => ({
        jobId,
        minPosition: chunk.minPosition,
        maxPosition: chunk.maxPosition,
        count: chunk.count,
        bad: chunk.bad,
        data: chunk.pack(),
      })),
      sessions: [...this.sessions.values()],
      tokens: [...this.tokens.values()],
      droppedTokens: [...this.droppedTokens],
      ...(this.instances.size === 0 ? {} : { instances: [...this.instances.values()] }),
      ...(this.droppedInstances.size === 0 ? {} : { droppedInstances: [...this.droppedInstances] }),
      ...(this.budgets.size === 0 ? {} : { budgets: [...this.budgets.values()] }),
      ...(this.alerts.size === 0 ? {} : { alerts: [...this.alerts.values()] }),
      ...(this.deliveries.size === 0 ? {} : { deliveries: [...this.deliveries.values()] }),
      ...(this.forgottenDeliveries === undefined ? {} : { forgottenDeliveries: this.forgottenDeliveries }),
      ...(this.resized.size === 0 ? {} : { resized: [...this.resized.values()] }),
      dependencies: [...this.dependencies],
      keys: [...this.keys],
      events: [...this.events],
      ...(this.deletedEnds.length === 0 ? {} : { deletedEnds: [...this.deletedEnds] }),
      ...(this.deletedJobs.length === 0 ? {} : { deletedJobs: [...this.deletedJobs] }),
    };
    this.#clear();
    return batch;
  }

  #clear(): void {
    this.newJobs.clear();
    this.jobs.clear();
    this.grants.clear();
    this.closedGrants.length = 0;
    this.ends.clear();
    this.sessions.clear();
    this.tokens.clear();
    this.droppedTokens.clear();
    this.instances.clear();
    this.droppedInstances.clear();
    this.budgets.clear();
    this.alerts.clear();
    this.deliveries.clear();
    this.forgottenDeliveries = undefined;
    this.resized.clear();
    this.dependencies.length = 0;
    this.keys.length = 0;
    this.events.length = 0;
    this.deletedEnds.length = 0;
    this.deletedJobs.length = 0;
    this.counters = false;
  }
}
