import type { JobView } from '../../src/api/job.ts';
import type { QueueGroup, QueueJob, QueueQueryInput, QueueReply, QueueTask } from '../../src/api/queue.ts';
import { SpawnError } from '../../src/core/errors.ts';
import { IndexSet } from '../../src/core/index-set.ts';
import { aJob, aTask } from './cli-world.ts';

const LANE = { priority: 0, cpus: 1, memoryBytes: 0, timeLimitMs: 0 };

/** A job in a queue: what waits by reason, what runs, and what has ended. */
export function inQueue(
  part: Partial<JobView>,
  groups: readonly Partial<QueueGroup>[],
  tasks: readonly Partial<QueueTask>[] = [],
  lanes = [LANE],
): QueueJob {
  const job = aJob(part);
  return {
    job,
    lanes,
    groups: groups.map((group) => {
      const { indices = '0' } = group;
      const count = IndexSet.fromString(indices).size;
      return { state: 'ready', reason: 'None', indices, count, lane: 0, ...group };
    }),
    tasks: tasks.map((task) => {
      const index = task.index ?? 0;
      return { ...aTask(index, { id: `${job.id}_${index}`, jobId: job.id, startedAt: 1_000_000 }), lane: 0, ...task };
    }),
  };
}

/** What a client with these jobs answers to questions for the queue: ids, tasks of them and states are looked at. */
export function queueClient(jobs: readonly QueueJob[], now = 1_060_000) {
  const find = (ref: string) => jobs.find(({ job }) => job.id === Number(ref.split('_')[0]));
  const queue = async (query: QueueQueryInput = {}): Promise<QueueReply> => {
    const ids = query.ids === undefined ? undefined : [query.ids].flat();
    const states = query.states?.split(',');
    const shown = (ids === undefined ? jobs : ids.flatMap((ref) => find(ref) ?? [])).map((part) => {
      const text = /_\[?([^\]]*)\]?$/.exec(ids?.[0] ?? '')?.[1];
      const named = text === undefined ? undefined : IndexSet.fromString(text);
      const groups = part.groups.flatMap((group) => {
        if (states?.includes(group.state) === false) return [];
        const set = IndexSet.fromString(group.indices);
        const kept = named === undefined ? set : set.intersect(named);
        return kept.size === 0 ? [] : [{ ...group, indices: kept.toString(), count: kept.size }];
      });
      const tasks = part.tasks.filter(
        ({ state, index }) => states?.includes(state) !== false && named?.has(index) !== false,
      );
      return { ...part, groups, tasks };
    });
    const missing = ids?.filter((ref) => find(ref) === undefined) ?? [];
    const kept = shown.filter(({ groups, tasks }) => groups.length + tasks.length > 0 || states === undefined);
    return { now, jobs: kept, missing };
  };
  return {
    queue,
    async *allQueue(query: QueueQueryInput = {}) {
      yield* (await queue(query)).jobs;
    },
    job: async (ref: string) => {
      const found = find(ref);
      if (found === undefined) throw new SpawnError('JOB_NOT_FOUND', { ref });
      return found.job;
    },
  };
}
