import type { JobView } from '../../../api/job.ts';
import type { QueueReply } from '../../../api/queue.ts';
import { FIRST_RAW_ID } from '../../../core/ids.ts';
import { IndexSet } from '../../../core/index-set.ts';
import type { Client } from '../../client.ts';
import { indicesText } from '../array-text.ts';
import type { SlurmId } from '../job-ids.ts';

type Run = readonly [start: number, count: number];

/** Tasks that have not ended, by what they do. */
export type LiveKind = 'waiting' | 'running' | 'suspended';

/** What an id names, and which of it lives: told in sets, whatever their size. */
export interface Chosen {
  readonly job: JobView;
  /** All indices of the array that the id names. */
  readonly all: IndexSet;
  readonly live: Readonly<Record<LiveKind, IndexSet | undefined>>;
  /** Those that have ended; of an array that lives without those that were cancelled before they started, which Slurm forgets. */
  readonly ended: IndexSet | undefined;
}

/** An id as the coordinator takes it. */
export function refOf({ ref }: SlurmId): string {
  if (ref.kind === 'job') return String(ref.id);
  return ref.indices.size === 1 ? `${ref.id}_${ref.indices.min}` : `${ref.id}_[${ref.indices}]`;
}

/** Whether it names one task by its raw number. */
export function isRaw({ ref }: SlurmId): boolean {
  return ref.kind === 'job' && ref.id >= FIRST_RAW_ID;
}

const LIVE: ReadonlySet<string> = new Set(['blocked', 'ready', 'leased', 'running']);
const ASKED = [...LIVE, 'cancelled', 'skipped'].join(',');

/**
 * Looks at what lives of the tasks that an id names; what does not has ended, so that nobody lists a million ends to tell that there are some.
 *
 * @throws SpawnError JOB_NOT_FOUND
 */
export async function choose(client: Client, id: SlurmId): Promise<Chosen> {
  const ref = refOf(id);
  const found: Record<LiveKind, IndexSet[]> = { waiting: [], running: [], suspended: [] };
  const forgotten: IndexSet[] = [];
  let first: JobView | undefined;
  let after: string | undefined;
  do {
    const page: QueueReply = await client.queue({
      ids: ref,
      states: ASKED,
      ended: 0,
      limit: 10_000,
      ...(after && { after }),
    });
    for (const { job, groups, tasks } of page.jobs) {
      first ??= job;
      for (const { state, indices } of groups) {
        (LIVE.has(state) ? found.waiting : forgotten).push(IndexSet.fromString(indices));
      }
      for (const { index, state, suspended } of tasks) {
        if (state === 'running') found[suspended ? 'suspended' : 'running'].push(single(index));
      }
    }
    after = page.next;
  } while (after !== undefined);
  const job = first ?? (await client.job(String(id.ref.id)));
  const whole = IndexSet.fromString(job.array ?? '0');
  const named = id.ref.kind === 'tasks' ? whole.intersect(id.ref.indices) : rawSet(job, whole, id);
  const live = { waiting: unite(found.waiting), running: unite(found.running), suspended: unite(found.suspended) };
  const lives = unite(Object.values(live)) !== undefined;
  const known = id.ref.kind === 'job' && lives ? [...Object.values(live), ...forgotten] : Object.values(live);
  return { job, all: named, live, ended: without(named, known) };
}

/** Of a raw number only the coordinator knows the index. */
function rawSet({ array }: JobView, whole: IndexSet, id: SlurmId): IndexSet {
  return isRaw(id) && array !== undefined ? single(whole.min) : whole;
}

function single(index: number): IndexSet {
  return IndexSet.fromRuns([{ start: index, step: 1, count: 1 }]);
}

/** Undefined for none. */
export function unite(sets: readonly (IndexSet | undefined)[]): IndexSet | undefined {
  const runs = sets.flatMap((set) => [...(set?.ranges() ?? [])]);
  return runs.length === 0 ? undefined : IndexSet.fromRuns(runs);
}

/** Indices of a set that are in none of the others. */
function without(all: IndexSet, others: readonly (IndexSet | undefined)[]): IndexSet | undefined {
  if (all.size === 0) return undefined;
  const taken = others
    .flatMap((set): Run[] => (set === undefined ? [] : [...all.positionsOf(set)]))
    .toSorted(([a], [b]) => a - b);
  const left: Run[] = [];
  let at = 0;
  for (const [start, count] of [...taken, [all.size, 0] as const]) {
    if (start > at) left.push([at, start - at]);
    at = Math.max(at, start + count);
  }
  return left.length === 0 ? undefined : all.select(left);
}

/** What became of some of the tasks, in Slurm's words; undefined: it was done. */
export interface Verdict {
  readonly set: IndexSet | undefined;
  readonly words: string | undefined;
}

/**
 * The lines that Slurm prints of an array when something of it was refused: `7_1-2: Job has already finished`, and what was done as `7_3: No error`;
 * none when all of it was done.
 */
export function verdictLines(job: number, verdicts: readonly Verdict[]): readonly string[] {
  const byWords = Map.groupBy(
    verdicts.filter(({ set }) => set !== undefined),
    ({ words }) => words ?? 'No error',
  );
  const rows = [...byWords].map(([words, same]) => ({ words, set: unite(same.map(({ set }) => set))! }));
  if (rows.every(({ words }) => words === 'No error')) return [];
  return rows
    .toSorted((a, b) => a.set.min - b.set.min)
    .map(({ words, set }) => `${job}_${indicesText(set, 0, 0)}: ${words}`);
}
