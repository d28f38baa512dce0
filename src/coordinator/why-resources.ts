import type { Blocker } from '../api/insight.ts';
import { GrantStatus } from '../core/grant-range.ts';
import type { Job } from '../core/job.ts';
import type { Lane } from '../core/lane.ts';
import { couldTake, isFreeFor } from '../core/place.ts';
import { counted, shownBytes } from '../core/shown.ts';
import type { WorkerSession } from '../core/worker-session.ts';
import type { Memory } from './memory.ts';
import { explainBusy, explainImpossible, openSessions } from './shortage.ts';

/** Most holders of one blocker. */
const MAX_HOLDERS = 10;

/** What keeps tasks of a lane that may be granted from being granted: no worker, none that is large or free enough, others before it. */
export function resourceBlockers(
  memory: Memory,
  job: Job,
  lane: Lane,
  who: string,
  tasks: number,
  now: number,
): Blocker[] {
  const wait = tasks === 1 ? 'waits' : 'wait';
  const sessions = openSessions(memory);
  if (sessions.length === 0) {
    return [{ rule: 'noWorker', text: `${who} ${wait} because no worker is connected`, tasks, holders: [] }];
  }
  const able = sessions.filter((session) => session.couldFit(lane));
  if (!couldTake(sessions, lane)) {
    const why = explainImpossible(memory, job) ?? 'no connected worker is large enough';
    const holders = sessions.slice(0, MAX_HOLDERS).map((session) => workerHolder(session));
    return [{ rule: 'neverFits', text: `${who} ${wait}: ${why}`, tasks, holders }];
  }
  if (isFreeFor(sessions, lane)) return [];
  const free = lane.shape === undefined ? able.filter((session) => session.fits(lane) > 0) : [];
  if (free.length > 0) return savedFor(free, lane, who, tasks);
  const until = nextEnd(memory, able, now);
  return [
    ...othersBefore(memory, job, lane, who, tasks),
    {
      rule: 'resources' as const,
      text: `${who} ${wait}: ${explainBusy(memory, job).replace('waiting for resources: free', 'no worker that could run it has enough free')}; ${heldBy(able)}`,
      tasks,
      holders: holdersOf(able),
      ...(until === undefined ? {} : { untilAt: until }),
    },
  ];
}

/** Every worker with room saves it up for a wide task that has waited for long. */
function savedFor(free: readonly WorkerSession[], lane: Lane, who: string, tasks: number): Blocker[] {
  const saving = free.flatMap(({ reservedFor }) => (reservedFor === undefined ? [] : [reservedFor]));
  if (saving.length < free.length || saving.includes(lane)) return [];
  const ids = [...new Set(saving.map(({ job }) => job.id))];
  return [
    {
      rule: 'turn',
      text: `${who} may not have what is free: it is saved up for wide tasks of job ${ids.join(', ')}, which wait longer`,
      tasks,
      holders: ids
        .slice(0, MAX_HOLDERS)
        .map((id) => ({ kind: 'job', id: String(id), text: 'waits for a whole worker' })),
    },
  ];
}

/** Jobs that get a slot sooner: those of higher bands, and in its band those that have no more than it has. */
function othersBefore(memory: Memory, job: Job, lane: Lane, who: string, tasks: number): Blocker[] {
  const higher: Job[] = [];
  const sooner: Job[] = [];
  for (const { job: other } of memory.jobs.values()) {
    if (other === job || other.endedAt !== 0) continue;
    for (const rival of other.lanes) {
      if (rival.wanted === 0) continue;
      if (rival.priority > lane.priority) higher.push(other);
      else if (rival.priority === lane.priority && memory.queue.isEntitled(rival, lane)) sooner.push(other);
    }
  }
  const blocker = (rule: 'priority' | 'turn', jobs: readonly Job[], text: string): Blocker[] => {
    const unique = [...new Set(jobs)];
    if (unique.length === 0) return [];
    const waiting = unique.reduce((sum, other) => sum + other.wanted, 0);
    const holders = unique.slice(0, MAX_HOLDERS).map((other) => ({
      kind: 'job' as const,
      id: String(other.id),
      text: `${other.facts.name} of ${other.facts.owner.split('/').at(-1)}, priority ${other.priority}: ${counted(other.wanted, 'task')} ready`,
    }));
    return [
      { rule, text: `${who}: ${counted(waiting, 'task')} of ${counted(unique.length, 'job')} ${text}`, tasks, holders },
    ];
  };
  return [
    ...blocker('priority', higher, `with a higher priority than ${lane.priority} come first`),
    ...blocker('turn', sooner, 'have their turn first: their jobs or owners have fewer slots'),
  ];
}

function workerHolder(session: WorkerSession): Blocker['holders'][number] {
  const { offer, cpus, memoryBytes } = session.room;
  const running = session.grants.reduce((sum, range) => sum + range.running, 0);
  const memory = `${shownBytes(Math.max(0, memoryBytes))} of ${shownBytes(offer.memoryBytes)} of memory`;
  const free = `${round(Math.max(0, cpus))} of ${round(offer.cpus)} CPUs, ${memory} free`;
  return { kind: 'worker', id: session.worker, text: `${free}; ${counted(running, 'task')} running` };
}

/** The workers that could run it, and the jobs that have slots there. */
function holdersOf(able: readonly WorkerSession[]): Blocker['holders'] {
  const jobs = slotsByJob(able).map(([id, slots]) => ({
    kind: 'job' as const,
    id: String(id),
    text: `${counted(slots, 'slot')} there`,
  }));
  return [...able.slice(0, MAX_HOLDERS / 2).map(workerHolder), ...jobs].slice(0, MAX_HOLDERS);
}

function slotsByJob(able: readonly WorkerSession[]): [job: number, slots: number][] {
  const slots = new Map<number, number>();
  for (const { shares } of able) {
    for (const share of shares.values()) {
      slots.set(share.lane.job.id, (slots.get(share.lane.job.id) ?? 0) + share.slots);
    }
  }
  return [...slots].filter(([, count]) => count > 0).toSorted(([, a], [, b]) => b - a);
}

function heldBy(able: readonly WorkerSession[]): string {
  const jobs = slotsByJob(able).map(([id, slots]) => `job ${id} (${counted(slots, 'slot')})`);
  return jobs.length === 0
    ? 'nothing runs there'
    : `what is there is held by ${jobs.slice(0, 3).join(', ')}${jobs.length > 3 ? ' and others' : ''}`;
}

/** When the first of the tasks that run ends, if it takes as long as those of its job before it. */
export function nextEnd(memory: Memory, sessions: Iterable<WorkerSession>, now: number): number | undefined {
  let next: number | undefined;
  for (const { grants } of sessions) {
    for (const range of grants) {
      const meanMs = (memory.jobs.get(range.jobId)?.job.meanWallUs ?? 0) / 1000;
      if (meanMs === 0 || range.running === 0) continue;
      for (let at = 0; at < range.count; at++) {
        if (range.status[at] !== GrantStatus.running) continue;
        const end = range.startedAt![at]! + meanMs;
        // One that takes longer than usual says nothing about when it ends.
        if (end > now && (next === undefined || end < next)) next = Math.round(end);
      }
    }
  }
  return next;
}

function round(amount: number): number {
  return Math.round(amount * 100) / 100;
}
