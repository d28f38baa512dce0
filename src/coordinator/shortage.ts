import { formatBytes } from '../core/bytes.ts';
import type { Shape } from '../core/gang.ts';
import { WHOLE_DEVICE } from '../core/gpu-shares.ts';
import type { Job } from '../core/job.ts';
import type { Lane } from '../core/lane.ts';
import { couldTake } from '../core/place.ts';
import type { WorkerSession } from '../core/worker-session.ts';
import type { Memory } from './memory.ts';

/** Sessions that get new work. */
export function openSessions(memory: Memory): WorkerSession[] {
  return [...memory.pool].filter(({ connected, draining }) => connected && !draining);
}

/** What tasks of a job need that no connected worker has, even when it is idle; undefined when there is nothing like that. */
export function explainImpossible(memory: Memory, job: Job): string | undefined {
  const sessions = openSessions(memory);
  if (sessions.length === 0) return undefined;
  const used = job.lanes.filter(({ number }) => job.table.eligible.laneCounts[number]! > 0);
  const lane = used.find((each) => !couldTake(sessions, each));
  return lane === undefined ? undefined : `${missing(sessions, lane)}; it waits until one connects`;
}

/** What none of the workers that could run a task of the job has free at the moment. */
export function explainBusy(memory: Memory, job: Job): string {
  const sessions = openSessions(memory);
  const short = new Set<string>();
  for (const lane of job.lanes.filter(({ wanted }) => wanted > 0)) {
    const able = sessions.filter((session) => session.couldFit(lane));
    // Where one worker is short of one thing and the next of another, all of that is what it waits for.
    for (const session of able) for (const name of session.room.busy(lane.needs)) short.add(NAMES[name] ?? name);
    if (lane.shape?.exclusive) short.add('workers with nothing else to do');
    else if (lane.shape !== undefined) short.add('workers for all ranks at once');
  }
  return short.size === 0 ? 'waiting for resources' : `waiting for resources: free ${[...short].join(', ')}`;
}

const NAMES: Readonly<Record<string, string>> = { cpus: 'CPUs', memory: 'memory', gpus: 'GPUs', slots: 'slots' };

function missing(sessions: readonly WorkerSession[], lane: Lane): string {
  const speaking = sessions.filter(({ api }) => api >= lane.minApi);
  if (speaking.length === 0) return `no connected worker is of a release that can run it (API ${lane.minApi} or newer)`;
  const able = speaking.filter((session) => session.couldFit(lane)).length;
  if (lane.shape !== undefined && able > 0) return tooFew(lane, lane.shape, able);
  const { cpus, memoryBytes, gpuShares } = lane.needs;
  const { gpus, resources } = lane.terms;
  const most = (of: (session: WorkerSession) => number) => Math.max(...speaking.map(of));
  const mostCpus = most(({ room }) => room.offer.cpus);
  if (mostCpus + 1e-6 < cpus) return `no connected worker has ${plural(cpus, 'CPU')} (the largest has ${mostCpus})`;
  const mostMemory = most(({ room }) => room.offer.memoryBytes);
  if (mostMemory < memoryBytes) {
    return `no connected worker has ${formatBytes(memoryBytes)} of memory (the largest has ${formatBytes(mostMemory)})`;
  }
  const mostGpus = most(({ room }) => room.gpus.devices);
  if (mostGpus * WHOLE_DEVICE < gpuShares) {
    return `no connected worker has ${plural(gpus, 'GPU')} (${mostGpus === 0 ? 'none has any' : `the largest has ${mostGpus}`})`;
  }
  for (const [name, amount] of Object.entries(resources)) {
    const offered = most(({ room }) => room.offer.named?.[name] ?? 0);
    if (offered >= amount) continue;
    return `no connected worker offers ${amount} ${name} (${offered === 0 ? 'none offers any' : `the largest offers ${offered}`})`;
  }
  return `no connected worker has all of it at once: ${describeNeeds(lane)}`;
}

/** Each of some could take a part of it, and all of them not the whole. */
function tooFew(lane: Lane, { nodes, tasks, rank }: Shape, able: number): string {
  const workers = (count: number) => plural(count, 'worker');
  if (able < nodes.min) {
    return `it needs ${workers(nodes.min)} at once, and of those connected ${able} ${able === 1 ? 'has' : 'have'} ${plural(lane.needs.cpus, 'CPU')} and all else that each of them needs`;
  }
  const most = able > nodes.max ? `any ${workers(nodes.max)} of those connected` : 'all connected workers together';
  return `${most} have no room for ${plural(tasks ?? nodes.min, 'rank')} of ${plural(rank.cpus, 'CPU')} each`;
}

function describeNeeds({ terms: { cpus, memoryBytes, gpus, resources } }: Lane): string {
  return [
    plural(cpus, 'CPU'),
    ...(memoryBytes === 0 ? [] : [`${formatBytes(memoryBytes)} of memory`]),
    ...(gpus === 0 ? [] : [plural(gpus, 'GPU')]),
    ...Object.entries(resources).flatMap(([name, amount]) => (amount === 0 ? [] : [`${amount} ${name}`])),
  ].join(', ');
}

function plural(count: number, unit: string): string {
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}
