import type { JobSpec } from '../api/job-spec.ts';
import { ConditionOf } from '../core/condition.ts';
import { parseDependency } from '../core/dependency.ts';
import { parseRetryFilter } from '../core/failure-filter.ts';
import { WHOLE_DEVICE } from '../core/gpu-shares.ts';
import { GrantRange, GrantStatus } from '../core/grant-range.ts';
import { IndexSet } from '../core/index-set.ts';
import { type Condition, Job } from '../core/job.ts';
import type { RetryPolicy } from '../core/retry.ts';
import { unpackPage } from '../core/task-page.ts';
import { TaskState } from '../core/task-state.ts';
import { WorkerSession } from '../core/worker-session.ts';
import type {
  LoadedJob,
  LoadedState,
  Store,
  StoredGrant,
  StoredJob,
  StoredJobFixed,
  StoredSession,
} from '../store/store.ts';
import { addCanary, restoreCanary } from './canary.ts';
import type { Clock } from './clock.ts';
import { restorePlaced } from './gang.ts';
import type { BookSetup } from './instances/book.ts';
import { loadInstances } from './instances/load.ts';
import { type JobExtra, readExtra } from './job-row.ts';
import { type Bound, type JobEntry, Memory, type SessionEntry } from './memory.ts';
import { minApiOf } from './min-api.ts';
import { applySlurm } from './slurm.ts';
import { followTimes } from './times.ts';
import type { World } from './world.ts';

/** What a worker said of itself, as stored with its session. */
export interface SessionDetail {
  cpus: number;
  memoryBytes: number;
  /** The following are missing in rows of version 0.1.0. */
  gpus?: number;
  named?: Record<string, number>;
  slots?: number;
  api?: number;
  bootId: string;
  forkerPid: number;
  version: string;
  sameHost: boolean;
  owner: string;
  /** See SessionEntry. */
  token?: number;
  bound?: Bound;
}

/** A job of a stored or new row, every task in the given state. */
export function makeJob(fixed: StoredJobFixed, ground: TaskState): Job {
  const { spec } = fixed;
  const job = new Job(
    {
      id: fixed.id,
      name: fixed.name,
      owner: `${fixed.tenant}/${fixed.owner}`,
      indices: fixed.indices === '' ? IndexSet.ofSize(1) : IndexSet.fromString(fixed.indices),
      createdAt: fixed.createdAt,
      cpus: spec.cpus,
      memoryBytes: spec.memoryBytes,
      gpus: spec.gpus,
      resources: spec.resources,
      timeLimitMs: spec.timeLimitMs,
      minApi: minApiOf(spec),
      bound: spec.instances !== undefined,
      exclusive: spec.exclusive,
      gang: spec.gang,
      retryPolicy: retryPolicyOf(spec),
      maxFailures: spec.maxFailures ?? Number.POSITIVE_INFINITY,
      minSuccess: spec.minSuccess,
      dependency: spec.after === undefined ? null : parseDependency(spec.after),
      invalidDependency: spec.invalidDependency,
    },
    ground,
  );
  addCanary(job, fixed);
  return job;
}

/** What a handler throws to say that another try would not help; where a job says itself what is tried again, that holds. */
const FATAL_CODE = '100';

function retryPolicyOf(spec: JobSpec): RetryPolicy {
  const { retryOn, run, instances } = spec;
  const isOwnRule = run.kind !== 'handler' || retryOn !== undefined || spec.noRetryOn !== undefined;
  const noRetryOn = isOwnRule ? spec.noRetryOn : FATAL_CODE;
  return {
    retries: spec.retries,
    delayMs: spec.retryDelayMs,
    backoff: spec.retryBackoff,
    maxDelayMs: spec.retryMaxDelayMs,
    jitter: spec.retryJitter,
    retryOn: retryOn === undefined ? null : parseRetryFilter(retryOn),
    noRetryOn: noRetryOn === undefined ? null : parseRetryFilter(noRetryOn),
    // So many machines may be lost, and no more would be started.
    crashLimit: instances === undefined ? spec.crashLimit : instances.replacements + 1,
    requeue: spec.slurm?.requeue ?? true,
  };
}

/** The job as it was stored; grants, waiters and the queue are the caller's. */
export function restoreJob(loaded: LoadedJob): JobEntry {
  const { job: row, pages } = loaded;
  const extra = readExtra(row.extra);
  const job = makeJob(row, extra.ground);
  job.table.groundReason = extra.groundReason;
  for (const terms of extra.lanes ?? []) job.addLane(terms);
  for (const { page, data } of pages) unpackPage(job.table, page, data);
  job.held = row.held;
  job.throttle = row.throttle;
  job.priority = row.priority;
  job.startedAt = row.startedAt;
  job.endedAt = row.endedAt;
  job.exitCode = row.exitCode;
  job.retried = row.retried;
  job.meanWallUs = row.meanWallUs;
  job.slowest.unpack(extra.slowest ?? []);
  job.suspensions.unpack(extra.suspensions ?? []);
  restoreConditions(job, extra);
  job.outputPath = extra.outputPath;
  job.plan = extra.plan;
  if (extra.slurm !== undefined) applySlurm(job, extra.slurm);
  if (extra.maxFailures !== undefined) job.maxFailures = extra.maxFailures ?? Number.POSITIVE_INFINITY;
  restoreDelays(job);
  job.beginAt = extra.beginAt ?? 0;
  job.deadlineAt = extra.deadlineAt ?? 0;
  restoreCanary(job, extra.canary);
  return { job, fixed: fixedOf(row) };
}

function restoreConditions(job: Job, { terms, due, after, conditions }: JobExtra): void {
  if (after !== undefined) job.conditions[0] = makeCondition(0, after);
  for (const { text, ...rest } of conditions ?? []) {
    const condition = makeCondition(job.conditions.length, text);
    job.conditions.push(condition);
    restoreTerms(condition, rest);
  }
  restoreTerms(job.conditions[0], { terms, due });
}

function restoreTerms(condition: Condition, { terms, due }: Pick<JobExtra, 'terms' | 'due'>): void {
  for (const [at, state] of terms.entries()) condition.termStates[at] = state;
  for (const [at, time] of due.entries()) condition.termDue[at] = time;
}

function makeCondition(number: number, text: string): Condition {
  return new ConditionOf<Job>(number, text === '' ? null : parseDependency(text));
}

function fixedOf(row: StoredJob): StoredJobFixed {
  const { id, arrayId, name, owner, tenant, spec, indices, size, rawIdBase, createdAt } = row;
  return { id, arrayId, name, owner, tenant, spec, indices, size, rawIdBase, createdAt };
}

/** Tasks that waited for their retry delay wait again. */
function restoreDelays(job: Job): void {
  const { table } = job;
  if (table.retryTicks === undefined) return;
  for (const [start, count] of table.runsOf(TaskState.ready)) {
    for (let position = start; position < start + count; position++) {
      const tick = table.retryTicks[position]!;
      if (tick === 0) continue;
      job.delayed.add(job.facts.createdAt + (tick - 1) * 10, position);
    }
  }
}

function restoreSession(row: StoredSession): SessionEntry {
  const detail = JSON.parse(row.detail) as SessionDetail;
  const session = new WorkerSession(row.id, row.worker, detail, detail.api ?? 1);
  return { session, row, token: detail.token ?? 0, ...(detail.bound === undefined ? {} : { bound: detail.bound }) };
}

/** Shares of GPUs first: they are where they were, and whole devices find their place among the rest. */
function bySharing(memory: Memory, grants: readonly StoredGrant[]): readonly StoredGrant[] {
  const sharing = (row: StoredGrant) =>
    memory.jobs.get(row.jobId)!.job.lanes.some(({ needs }) => needs.gpuShares % WHOLE_DEVICE !== 0);
  return [...grants.filter(sharing), ...grants.filter((row) => !sharing(row))];
}

/** Lays a stored grant over its job and session. */
function restoreGrant(memory: Memory, row: StoredGrant, now: number): void {
  const job = memory.jobs.get(row.jobId)!.job;
  const { session } = memory.sessions.get(row.sessionId)!;
  const range = new GrantRange(row.fence, row.count, row.jobId, row.position, row.sessionId);
  range.unpack(row.data);
  const lane = job.lanes[range.lane]!;
  for (let at = 0; at < range.count; at++) {
    const position = range.position + at;
    if (range.status[at] === GrantStatus.closed) continue;
    const running = range.status[at] === GrantStatus.running;
    job.table.move(position, running ? TaskState.running : TaskState.leased);
    if (running) job.table.attempts[position] = range.attempts![at]!;
  }
  job.grants.add(range);
  session.addGrant(range, lane, range.running, now);
  memory.queue.addSlots(lane, range.running);
  restorePlaced(memory, range, lane);
}

/** Grants are found by their order. What runs has its resources; the oldest of what waits at the worker gets the rest, as it does there. */
function restoreSlots(memory: Memory): void {
  for (const { session } of memory.sessions.values()) {
    session.grants.sort((a, b) => a.fence - b.fence);
    for (const share of session.shares.values()) memory.queue.addSlots(share.lane, session.promote(share));
  }
}

/** Ties a job to those it waits for, which are in memory. */
export function linkJob(memory: Memory, job: Job): void {
  for (const condition of job.conditions) {
    for (const [term, named] of (condition.dependency?.terms ?? []).entries()) {
      if (named.type === 'singleton') continue;
      const predecessor = memory.jobs.get(named.jobId)?.job;
      condition.predecessors[term] = predecessor;
      if (predecessor?.waiters.some((waiter) => waiter.condition === condition && waiter.term === term) === false) {
        predecessor.waiters.push({ job, condition, term, hint: -1 });
      }
    }
  }
}

/** Numbers of the jobs a job waits for, each once. */
export function predecessorIds(job: Job): number[] {
  const terms = job.conditions.flatMap(({ dependency }) => dependency?.terms ?? []);
  return [...new Set(terms.flatMap((term) => (term.type === 'singleton' ? [] : [term.jobId as number])))];
}

/** Everything that is live, and those ended jobs that a live one still waits for. */
export async function restoreMemory(
  store: Store,
  state: LoadedState,
  clock: Clock,
  instances: BookSetup,
): Promise<Memory> {
  const memory = new Memory(state.counters);
  const entries = state.jobs.map(restoreJob);
  // One that was retried may wait behind a younger one, which holds the name.
  for (const entry of entries.filter(({ job }) => holdsName(job))) memory.addLive(entry);
  for (const entry of entries.filter(({ job }) => !holdsName(job))) memory.addLive(entry);
  for (const row of state.tokens) memory.tokens.set(row.id, row);
  for (const row of state.sessions) memory.addSession(restoreSession(row));
  await restoreInstances(store, memory, state, clock);
  await loadInstances(store, memory, instances);
  for (const row of bySharing(memory, state.grants)) restoreGrant(memory, row, clock.now());
  restoreSlots(memory);
  await loadAwaited(store, memory, clock.steady());
  memory.alerts.load(store.storeId, state);
  for (const { job } of memory.jobs.values()) memory.alerts.look(job, undefined);
  return memory;
}

/** With their jobs, also those that have ended while an instance of theirs has not. */
async function restoreInstances(store: Store, memory: Memory, state: LoadedState, clock: Clock): Promise<void> {
  for (const row of state.instances) {
    if (!memory.jobs.has(row.jobId)) memory.addEnded(restoreJob((await store.loadJob(row.jobId))!), clock.steady());
    memory.instances.restore(row);
  }
  for (const row of state.budgets) memory.instances.restoreBudget(row);
}

/** Its turn among those of its owner and name had come. */
function holdsName({ conditions }: Job): boolean {
  return conditions.some((condition) => condition.holdsName);
}

async function loadAwaited(store: Store, memory: Memory, steady: number): Promise<void> {
  for (const { job } of [...memory.jobs.values()]) {
    for (const id of job.table.counts[TaskState.blocked]! > 0 ? predecessorIds(job) : []) {
      if (memory.jobs.has(id)) continue;
      const loaded = await store.loadJob(id);
      if (loaded !== undefined) memory.addEnded(restoreJob(loaded), steady);
    }
  }
}

/** After a load: ties jobs together, decides what became decidable (when it may change anything), sets the alarms, and queues what is ready. */
export function resume(world: World, decide: boolean): void {
  const { memory } = world;
  for (const { job } of memory.jobs.values()) linkJob(memory, job);
  for (const { job } of memory.jobs.values()) {
    if (job.endedAt !== 0) continue;
    job.pace.since = world.now;
    if (decide && job.isConditional && job.table.counts[TaskState.blocked]! > 0) world.settlement.evaluate(job);
    if (job.delayed.earliest !== undefined) world.wait(job, job.delayed.earliest);
    followTimes(world, job);
    memory.queue.update(job);
  }
  world.settlement.run();
}
