import { IndexSet } from '../../core/index-set.ts';
import type { CancelTarget, CancelWay } from './cancel-calls.ts';
import type { CancelFilter } from './cancel-filter.ts';
import { namedTasks, refText, type SlurmId } from './job-ids.ts';
import { type QueueRow, rowId } from './queue-rows.ts';

type Env = Readonly<Record<string, string | undefined>>;

const WAITING = 'blocked,ready,leased';
const RUNNING = 'running';
const KILL = 9;

/** What ids name. Of one job all of them are cancelled together, unless each is to be told of. */
export function namedTargets(ids: readonly SlurmId[], each: boolean): readonly CancelTarget[] {
  const groups = each ? ids.map((id) => [id]) : [...Map.groupBy(ids, ({ ref }) => ref.id).values()];
  return groups.flatMap((group) =>
    namedTasks(group).map((tasks, at): CancelTarget => {
      const { job, indices } = tasks;
      const named = indices === undefined ? {} : { named: { job, indices } };
      // What is told of one is told of all of them.
      const shown = at === 0 ? group.map(({ text }) => text) : [];
      return { shown, ref: refText(tasks), selection: {}, waits: false, ...named };
    }),
  );
}

/** One row, and nothing that is in another state meanwhile. */
export function rowTarget(row: QueueRow, env: Env): CancelTarget {
  return targetOf([row], false, row.task === undefined, env);
}

/** One target a job, or two where what waits and what runs are treated differently. */
export function wholeTargets(
  rows: readonly QueueRow[],
  { ids, filter, way }: { ids: readonly SlurmId[]; filter: CancelFilter; way: CancelWay },
  env: Env,
): readonly CancelTarget[] {
  const whole = new Set(ids.flatMap(({ ref }) => (ref.kind === 'job' ? [ref.id as number] : [])));
  const cancels = way.signal === undefined || way.signal === KILL;
  const mixes = cancels && way.scope !== 'main' && filter.states === undefined;
  // A suspended task is running as well, for the coordinator.
  const byTask = filter.byTask || (filter.states?.some((state) => state !== 'PENDING') ?? false);
  return [...Map.groupBy(rows, ({ job }) => job.id)].flatMap(([id, ofJob]): CancelTarget[] => {
    const isWhole = !byTask && (ids.length === 0 || whole.has(id));
    if (mixes && isWhole) return [{ ...targetOf(ofJob, true, false, env), selection: {} }];
    const [waiting, running] = [true, false].map((waits) => ofJob.filter(({ task }) => (task === undefined) === waits));
    return [
      ...(running!.length === 0 ? [] : [targetOf(running!, isWhole, false, env)]),
      ...(waiting!.length === 0 ? [] : [targetOf(waiting!, isWhole, true, env)]),
    ];
  });
}

/** @param isWhole all tasks of the job that wait, or all that run; else those of the rows alone */
function targetOf(rows: readonly QueueRow[], isWhole: boolean, waits: boolean, env: Env): CancelTarget {
  const [first] = rows as readonly [QueueRow, ...QueueRow[]];
  const { id, array } = first.job;
  const ref = isWhole || array === undefined ? String(id) : `${id}_[${indicesOf(rows)}]`;
  const shown = rows.map((row) => rowId(row, env));
  return { shown, ref, selection: { state: waits ? WAITING : RUNNING }, waits };
}

function indicesOf(rows: readonly QueueRow[]): IndexSet {
  return IndexSet.fromRuns(
    rows.flatMap(({ task, set }) =>
      task === undefined ? [...(set?.ranges() ?? [])] : [{ start: task.index, step: 1, count: 1 }],
    ),
  );
}
