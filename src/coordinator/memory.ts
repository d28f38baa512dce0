import { DelayHeap } from '../core/delay-heap.ts';
import type { Job } from '../core/job.ts';
import { ReadyQueue } from '../core/ready-queue.ts';
import type { WorkerSession } from '../core/worker-session.ts';
import type { Counters, StoredJobFixed, StoredSession, StoredToken } from '../store/store.ts';
import { AlertBook } from './alerts/book.ts';
import { Changes } from './changes.ts';
import type { Gang } from './gang-members.ts';
import { InstanceBook } from './instances/book.ts';
import { shownName } from './job-row.ts';

export interface JobEntry {
  readonly job: Job;
  readonly fixed: StoredJobFixed;
}

/** The one task that a session serves, and on which instance. */
export interface Bound {
  readonly instance: string;
  readonly jobId: number;
  readonly position: number;
  /** Messages of the agent that serves it now are numbered above this; 0 = there was no other one. */
  readonly since: number;
}

export interface SessionEntry {
  readonly session: WorkerSession;
  row: StoredSession;
  /** Number of the token with which it was opened; 0 when it was through the Unix socket. */
  readonly token: number;
  /** Absent for a worker of the pool. */
  readonly bound?: Bound;
}

/** The scheduling state. Rebuilt from the store at start and after a failed commit. */
export class Memory {
  readonly jobs = new Map<number, JobEntry>();
  readonly sessions = new Map<number, SessionEntry>();
  /** Sessions that the scheduler gives work. */
  readonly pool = new Set<WorkerSession>();
  /** Sessions of instances, by instance. */
  readonly bound = new Map<string, SessionEntry>();
  /** The same, by job and position. */
  readonly #boundTo = new Map<number, Map<number, SessionEntry>>();
  readonly instances = new InstanceBook();
  readonly alerts = new AlertBook();
  /** Attempts under way that have more than one session, by fence. */
  readonly gangs = new Map<number, Gang>();
  /** By number, also those that are valid no more. */
  readonly tokens = new Map<number, StoredToken>();
  readonly queue = new ReadyQueue();
  /** Live jobs by name. */
  readonly names = new Map<string, Set<Job>>();
  /** Live jobs by owner and the name that Slurm's commands show, in the order in which singletons run. */
  readonly sharers = new Map<string, Set<Job>>();
  /** (due, job number): retry delays and delayed dependencies. */
  readonly alarms = new DelayHeap();
  /** When the next alarm of a job rings. */
  readonly nextAlarm = new Map<number, number>();
  readonly changes = new Changes();
  /** Jobs of which attempts have said how far they are since the last commit. */
  readonly progressed = new Set<Job>();
  /** Ended jobs that are still here, to be dropped when nobody waits for them, with when they came (steady clock). */
  readonly ended = new Map<Job, number>();
  counters: Counters;
  /** Idempotency keys of submits that are not durable yet, and a few more: `owner\0key` -> body hash and job. */
  readonly keys = new Map<string, { bodyHash: string; jobId: number }>();

  constructor(counters: Counters) {
    this.counters = { ...counters };
  }

  addLive(entry: JobEntry): void {
    const { job, fixed } = entry;
    this.jobs.set(job.id, entry);
    const named = this.names.get(fixed.name) ?? new Set();
    named.add(job);
    this.names.set(fixed.name, named);
    const key = sharerKey(entry);
    this.sharers.set(key, (this.sharers.get(key) ?? new Set()).add(job));
  }

  /** The job has ended: it is found by number only, until it is dropped. */
  removeLive(entry: JobEntry, steady: number): void {
    const { job, fixed } = entry;
    this.ended.set(job, steady);
    const named = this.names.get(fixed.name);
    named?.delete(job);
    if (named?.size === 0) this.names.delete(fixed.name);
    this.#removeSharer(entry);
  }

  /** A live job gets another name for Slurm's commands, and is the last of those who have that one. */
  rename(entry: JobEntry, change: () => void): void {
    this.#removeSharer(entry);
    change();
    const key = sharerKey(entry);
    this.sharers.set(key, (this.sharers.get(key) ?? new Set()).add(entry.job));
  }

  #removeSharer(entry: JobEntry): void {
    const key = sharerKey(entry);
    const sharers = this.sharers.get(key);
    sharers?.delete(entry.job);
    if (sharers?.size === 0) this.sharers.delete(key);
  }

  /** An ended job that somebody asked for or waits for. */
  addEnded(entry: JobEntry, steady: number): void {
    this.jobs.set(entry.job.id, entry);
    this.ended.set(entry.job, steady);
  }

  addSession(entry: SessionEntry): void {
    const { session, bound } = entry;
    this.sessions.set(session.id, entry);
    if (bound === undefined) {
      this.pool.add(session);
      return;
    }
    session.bound = true;
    this.bound.set(bound.instance, entry);
    const ofJob = this.#boundTo.get(bound.jobId) ?? new Map<number, SessionEntry>();
    this.#boundTo.set(bound.jobId, ofJob.set(bound.position, entry));
    this.changes.binding.add(bound.jobId);
  }

  removeSession(entry: SessionEntry): void {
    const { session, bound } = entry;
    this.sessions.delete(session.id);
    this.pool.delete(session);
    if (bound === undefined) return;
    if (this.bound.get(bound.instance) === entry) this.bound.delete(bound.instance);
    const ofJob = this.#boundTo.get(bound.jobId);
    if (ofJob?.get(bound.position) !== entry) return;
    ofJob.delete(bound.position);
    if (ofJob.size === 0) this.#boundTo.delete(bound.jobId);
  }

  /** Who serves the tasks of an instance array, by position. */
  boundTo(jobId: number): ReadonlyMap<number, SessionEntry> {
    return this.#boundTo.get(jobId) ?? NOBODY;
  }

  sharersOf(entry: JobEntry): Iterable<Job> {
    return this.sharers.get(sharerKey(entry)) ?? [];
  }

  drop(job: Job): void {
    this.ended.delete(job);
    this.jobs.delete(job.id);
  }
}

const NOBODY: ReadonlyMap<number, SessionEntry> = new Map();

function sharerKey({ job, fixed }: JobEntry): string {
  return `${fixed.tenant}\0${fixed.owner}\0${shownName(job, fixed)}`;
}
