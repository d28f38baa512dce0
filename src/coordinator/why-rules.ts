import type { Blocker } from '../api/insight.ts';
import { formatBytes } from '../core/bytes.ts';
import { GrantStatus } from '../core/grant-range.ts';
import { findType } from '../core/instance-types.ts';
import type { Job } from '../core/job.ts';
import { decodeOutcome, outcomeText } from '../core/outcome.ts';
import { counted, shownDuration } from '../core/shown.ts';
import { TASK_STATES, TaskState } from '../core/task-state.ts';
import { TASK_REASONS, TaskFlag, TaskReason } from '../core/task-table.ts';
import type { Memory } from './memory.ts';
import { runningAttempt } from './task-events.ts';
import { timeText } from './times.ts';
import { type Asked, dependencyBlockers, taskId } from './why-dependency.ts';
import { nextEnd, resourceBlockers } from './why-resources.ts';

const TEN = 10;
/** Of a job that has ended, for the reasons why. */
const TASKS_READ = 1_000;
/** Reasons of instances, or of tasks, in one sentence. */
const MAX_TEXTS = 3;

export function taskBlockers(asked: Asked, position: number): Blocker[] {
  const { job } = asked;
  const { table } = job;
  const state = table.state[position]! as TaskState;
  const who = taskId(job, position);
  if (state >= TaskState.completed) return [endedTask(asked, position, who)];
  if (state === TaskState.running || state === TaskState.leased) return [heldByWorker(asked, position, who)];
  const held = job.held || table.hasFlag(position, TaskFlag.held);
  const rules: Blocker[] = [...dependencyBlockers(asked)];
  if (held) rules.push(hold(job, who, 1, !job.held));
  if (job.beginAt > asked.now) rules.push(begin(job, who, 1));
  const tick = table.retryTicks?.[position] ?? 0;
  if (tick > 0) rules.push(retryDelay(job, who, 1, job.facts.createdAt + (tick - 1) * 10, asked.now));
  if (job.canary?.state === 'running' && !job.canary.positions.includes(position)) rules.push(canary(job, who, 1));
  if (rules.length > 0) return rules;
  if (job.room === 0) return [throttle(asked, who, 1)];
  if (job.facts.bound) return [instance(asked.memory, job, [position], who)];
  return resourceBlockers(asked.memory, job, job.laneOf(position), who, 1, asked.now);
}

/** The rules that keep any of its tasks, with how many. */
export function jobBlockers(asked: Asked): Blocker[] {
  const { job, now } = asked;
  const { counts } = job.table;
  if (job.endedAt !== 0) return [endedJob(job)];
  const waiting = counts[TaskState.blocked]! + counts[TaskState.ready]!;
  const ready = counts[TaskState.ready]!;
  const who = (tasks: number) => `${counted(tasks, 'task')} of job ${job.id}`;
  const rules: Blocker[] = [];
  const heldTasks = job.held ? waiting : countHeld(job);
  if (heldTasks > 0) rules.push(hold(job, who(heldTasks), heldTasks, !job.held));
  rules.push(...dependencyBlockers(asked));
  if (job.beginAt > now && ready > 0) rules.push(begin(job, who(ready), ready));
  if (job.delayed.earliest !== undefined) {
    const delayed = countDelayed(job);
    if (delayed > 0) rules.push(retryDelay(job, who(delayed), delayed, job.delayed.earliest, now));
  }
  const gated = countGated(job);
  if (gated > 0) rules.push(canary(job, who(gated), gated));
  if (!job.held && !job.shut) rules.push(...eligibleBlockers(asked, who));
  const running = counts[TaskState.running]! + counts[TaskState.leased]!;
  if (running > 0)
    rules.push({
      rule: 'running',
      text: `${who(running)} ${running === 1 ? 'runs' : 'run'}`,
      tasks: running,
      holders: [],
    });
  return rules;
}

/** Tasks that nothing but the throttle, or a lack of resources, keeps. */
function eligibleBlockers(asked: Asked, who: (tasks: number) => string): Blocker[] {
  const { memory, job, now } = asked;
  const { eligible } = job.table;
  if (eligible.count === 0) return [];
  if (job.room === 0) return [throttle(asked, who(eligible.count), eligible.count)];
  if (job.facts.bound) return [instance(memory, job, eligible.positions(), who(eligible.count))];
  return job.lanes.flatMap((lane) => {
    const tasks = eligible.sets[lane.number]!.count;
    return tasks === 0 ? [] : resourceBlockers(memory, job, lane, who(tasks), tasks, now);
  });
}

/** Tasks that wait for their machines: what the first ones say of theirs. */
function instance({ instances }: Memory, job: Job, positions: Iterable<number>, who: string): Blocker {
  const texts = new Set<string>();
  let tasks = 0;
  for (const position of positions) {
    tasks++;
    if (texts.size < MAX_TEXTS) texts.add(instances.explain(job.id, position) ?? 'its instance is not ready yet');
  }
  const why = [...texts].join('; ');
  return { rule: 'instance', text: `${who} ${tasks === 1 ? 'waits' : 'wait'}: ${why}`, tasks, holders: [] };
}

function endedTask({ memory, job }: Asked, position: number, who: string): Blocker {
  const { table } = job;
  const state = TASK_STATES[table.state[position]!]!;
  const reason = TASK_REASONS[table.reasonOf(position)]!;
  const tried = table.attempts[position]! > 0 && table.state[position] !== TaskState.skipped;
  const ended = decodeOutcome(table.outcomes?.[position] ?? 0);
  const limit = tried && ended.kind === 'outOfMemory' ? memoryLimit(memory, job, position) : '';
  const outcome = tried ? outcomeText(ended) : '';
  // "cancelled" says less than "cancelled by a user".
  const isSaid = outcome === state || reason.startsWith(outcome);
  const details = [isSaid ? '' : `${outcome}${limit}`, reason].filter((part) => part !== '').join(', ');
  return {
    rule: 'ended',
    text: `${who} has ended: ${state}${details === '' ? '' : ` (${details})`}`,
    tasks: 1,
    holders: [],
  };
}

/** Beyond which a task was killed: what it asked for, or what its instance has. */
function memoryLimit({ instances }: Memory, job: Job, position: number): string {
  const type = instances.arrays.get(job.id)?.part.type;
  const own = job.laneOf(position).terms.memoryBytes;
  const [who, bytes] =
    type === undefined || own > 0 ? ['it may use', own] : [`a ${type} has`, findType(type).memoryBytes];
  return bytes > 0 ? `: ${who} ${formatBytes(bytes)}` : '';
}

function endedJob(job: Job): Blocker {
  const texts =
    job.state === 'skipped'
      ? [TASK_REASONS[TaskReason.dependencyNeverSatisfied]]
      : job.state === 'cancelled'
        ? reasonsIn(job)
        : [];
  const why = texts.length === 0 ? '' : ` (${texts.join('; ')})`;
  return {
    rule: 'ended',
    text: `job ${job.id} has ended: ${job.state}${why}, exit code ${job.exitCode}`,
    tasks: job.size,
    holders: [],
  };
}

/** Of its first tasks: those of a million are not looked through. */
function reasonsIn({ table, size }: Job): readonly string[] {
  const texts = new Set<string>();
  for (let position = 0; position < Math.min(size, TASKS_READ) && texts.size < MAX_TEXTS; position++) {
    const reason = table.reasonOf(position);
    if (reason !== TaskReason.none) texts.add(TASK_REASONS[reason]!);
  }
  return [...texts];
}

function heldByWorker({ memory, job, now }: Asked, position: number, who: string): Blocker {
  // An earlier attempt's range may still be open for others.
  const range = [...job.grants].find(({ status, position: first }) => isOpen(status[position - first]));
  const worker = range === undefined ? undefined : memory.sessions.get(range.sessionId)?.session.worker;
  const holders = worker === undefined ? [] : [{ kind: 'worker' as const, id: worker, text: `has ${who}` }];
  if (job.table.hasFlag(position, TaskFlag.cancelRequested)) {
    const text = `${who} is being cancelled: worker ${worker} was told to stop it`;
    return { rule: 'cancelling', text, tasks: 1, holders };
  }
  const running = runningAttempt(job, position);
  const meanMs = job.meanWallUs / 1000;
  const mean = meanMs === 0 ? '' : `; tasks of job ${job.id} take about ${shownDuration(meanMs)}`;
  if (running === undefined) {
    const text = `${who} is with worker ${worker}, and starts there as soon as a task before it ends${mean}`;
    return { rule: 'running', text, tasks: 1, holders };
  }
  const since = job.suspensions.of(position)?.since ?? 0;
  if (since !== 0) {
    const text = `${who} is suspended on worker ${worker} since ${shownDuration(now - since)}, until resumed`;
    return { rule: 'suspended', text, tasks: 1, holders };
  }
  const end = Math.round(running.startedAt + meanMs);
  const text = `${who} runs on worker ${worker} since ${shownDuration(now - running.startedAt)}${mean}`;
  return { rule: 'running', text, tasks: 1, holders, ...(meanMs > 0 && end > now ? { untilAt: end } : {}) };
}

function isOpen(status: number | undefined): boolean {
  return status !== undefined && status !== GrantStatus.closed;
}

function hold(job: Job, who: string, tasks: number, single: boolean): Blocker {
  const is = tasks === 1 ? 'is' : 'are';
  const what = single ? 'held by a user' : `held, because job ${job.id} as a whole is`;
  return { rule: 'hold', text: `${who} ${is} ${what}, until released`, tasks, holders: [] };
}

function begin(job: Job, who: string, tasks: number): Blocker {
  const text = `${who} may not start before ${timeText(job.beginAt)}`;
  return { rule: 'begin', text, tasks, holders: [], untilAt: job.beginAt };
}

function retryDelay(_job: Job, who: string, tasks: number, due: number, now: number): Blocker {
  const first = tasks === 1 ? '' : 'the first of ';
  const failed = tasks === 1 ? 'which failed and is' : 'which failed and are';
  const left = shownDuration(Math.max(0, due - now));
  const text = `${first}${who}, ${failed} tried again, waits for its retry delay: ${left} more`;
  return { rule: 'retryDelay', text, tasks, holders: [], untilAt: due };
}

function canary(job: Job, who: string, tasks: number): Blocker {
  const { positions } = job.canary!;
  const open = [...positions].filter((position) => job.table.state[position]! < TaskState.completed);
  const text = `${who} ${tasks === 1 ? 'waits' : 'wait'} for the canary: ${open.length} of ${counted(positions.length, 'task')} that run first have not ended`;
  const holders = open.slice(0, TEN).map((position) => ({
    kind: 'task' as const,
    id: taskId(job, position),
    text: TASK_STATES[job.table.state[position]!]!,
  }));
  return { rule: 'canary', text, tasks, holders };
}

function throttle({ memory, job, now }: Asked, who: string, tasks: number): Blocker {
  const sessions = [...memory.sessions.values()].map(({ session }) => session);
  const own = sessions.filter(({ shares }) => [...shares.keys()].some((lane) => lane.job === job));
  const until = nextEnd(memory, own, now);
  const ids: string[] = [];
  for (const range of job.grants) {
    for (let at = 0; at < range.count && ids.length < TEN; at++) {
      if (range.status[at] !== GrantStatus.closed) ids.push(taskId(job, range.position + at));
    }
  }
  return {
    rule: 'throttle',
    text: `${who} ${tasks === 1 ? 'waits' : 'wait'} because job ${job.id} has as many tasks at once as its throttle of ${job.throttle} allows`,
    tasks,
    holders: ids.map((id) => ({ kind: 'task', id, text: 'has one of the places' })),
    ...(until === undefined ? {} : { untilAt: until }),
  };
}

function countHeld({ table }: Job): number {
  if (table.flags === undefined) return 0;
  let held = 0;
  for (let at = 0; at < table.size; at++) {
    if (table.state[at]! <= TaskState.ready && table.hasFlag(at, TaskFlag.held)) held++;
  }
  return held;
}

function countDelayed({ table }: Job): number {
  if (table.retryTicks === undefined) return 0;
  let delayed = 0;
  for (let at = 0; at < table.size; at++) {
    if (table.state[at] === TaskState.ready && table.retryTicks[at]! > 0) delayed++;
  }
  return delayed;
}

/** Ready tasks that are not of the canary. */
function countGated({ table, canary: first }: Job): number {
  if (first?.state !== 'running') return 0;
  const own = first.positions.reduce((sum, at) => sum + (table.state[at] === TaskState.ready ? 1 : 0), 0);
  return table.counts[TaskState.ready]! - own;
}
