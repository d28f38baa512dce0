import type { UpdateRequest } from '../../../api/job.ts';
import { ownPattern } from '../../../config/slurm/output-pattern.ts';
import { beginOf, deadlineOf } from '../../submit/spec-of.ts';
import { given } from '../given.ts';
import { nearestPriority, PRIORITY_0 } from '../priorities.ts';
import type { JobChanges } from '../update-words.ts';

/** What is recorded of a job as a whole and does nothing. */
const RECORDED = [
  'comment',
  'account',
  'partition',
  'qos',
  'wckey',
  'mailUser',
  'mailType',
  'constraint',
  'nodelist',
  'excludeNodes',
  'licenses',
  'reservation',
] as const satisfies readonly (keyof JobChanges)[];

/** Whether a change is one that Slurm makes of what waits alone. */
export function needsPending({ begin, after, cpus, memory, gpus, output }: JobChanges): boolean {
  return [begin, after, cpus, memory, gpus, output].some((change) => change !== undefined);
}

/** Of a job or task: what the request needs of it. */
export interface UpdateFacts {
  readonly cpus: number;
  /** Tasks of an array, not all of it. */
  readonly isPart: boolean;
  /** Instead of what the words say, which may be relative to what it has. */
  readonly timeLimitMs: number | undefined;
}

/** What is to be asked of the coordinator; `lost`: what it cannot record of single tasks, and what does nothing in any case. */
export function updateRequest(
  changes: JobChanges,
  { cpus, isPart, timeLimitMs }: UpdateFacts,
): { readonly request: UpdateRequest; readonly lost: readonly string[] } {
  const { nice, priority, memory, begin, deadline, name, requeue, throttle } = changes;
  const recorded = RECORDED.filter((field) => changes[field] !== undefined);
  const slurm = {
    name,
    requeue,
    nice: isPart ? undefined : nice,
    ...(isPart ? {} : Object.fromEntries(recorded.map((field) => [field, changes[field]]))),
  };
  const request = {
    // Of an array as a whole, whichever of its tasks was named.
    throttle: isPart ? undefined : throttle,
    priority: nice === undefined ? readPriority(priority) : nearestPriority(-nice),
    timeLimitMs,
    memoryBytes: memory && memory.bytes * (memory.per === 'cpu' ? (changes.cpus ?? Math.max(1, Math.ceil(cpus))) : 1),
    cpus: changes.cpus,
    gpus: changes.gpus,
    after: changes.after,
    outputPath: changes.output === undefined ? undefined : ownPattern(changes.output),
    ...(begin === undefined ? {} : beginOf(begin)),
    ...(deadline === undefined ? {} : deadlineOf(deadline)),
    slurm: Object.values(slurm).some((value) => value !== undefined) ? given(slurm) : undefined,
  };
  return { request: given(request) as UpdateRequest, lost: [...(changes.ignored ?? []), ...(isPart ? recorded : [])] };
}

/** The priority of a job that is to be shown with this number; 0 means something else. */
function readPriority(shown: number | undefined): number | undefined {
  return shown === undefined || shown === 0 ? undefined : nearestPriority(shown - PRIORITY_0);
}
