import type { JobView, LogQueryInput } from '../api/job.ts';
import { SpawnError } from '../core/errors.ts';
import { IndexSet } from '../core/index-set.ts';
import { type LogRecord, LogStream } from '../core/log-record.ts';
import { throughRestarts } from './await-job.ts';
import { LogMerger, LogRecords, noteText } from './output/merge-logs.ts';
import type { World } from './world.ts';

export interface ShownLogs {
  readonly job: JobView;
  readonly query: LogQueryInput;
  readonly signal: AbortSignal;
  /** Called before anything is shown. */
  readonly before?: () => void;
}

/** Of several tasks only whole lines are shown, so that something else may be shown between them. */
export function showsWholeLines(job: JobView, query: LogQueryInput): boolean {
  return !isSingle(job, indicesOf(job), query.index);
}

function indicesOf(job: JobView): IndexSet {
  return job.array === undefined ? IndexSet.ofSize(1) : IndexSet.fromString(job.array);
}

/** Whether the query is about one task: its bytes are then shown as they are. */
function isSingle(job: JobView, indices: IndexSet, index: string | undefined): boolean {
  if (index === undefined) return job.size === 1;
  return indices.intersect(IndexSet.fromString(index)).size <= 1;
}

/**
 * Shows the output of tasks on standard output: of one task its own bytes and nothing else, of several whole lines with
 * their index before them. What is missing is said on standard error, or at its place in merged output.
 */
export async function showLogs(world: World, { job, query, signal, before }: ShownLogs): Promise<void> {
  const indices = indicesOf(job);
  const single = isSingle(job, indices, query.index);
  const merger = new LogMerger((position) => indices.at(position));
  const write = (bytes: Uint8Array): void => {
    if (bytes.length === 0) return;
    before?.();
    world.stdout.write(bytes);
  };
  const show = (record: LogRecord): void => {
    if (!single) write(merger.add(record));
    else if (record.stream !== LogStream.NOTE) write(record.data);
    else world.stderr.write(`spawn: ${job.id}_${indices.at(record.position)}: ${noteText(record)}\n`);
  };
  if (single && query.attempt !== undefined) await checkAttempt(world, job, query.index, Number(query.attempt));
  if (query.follow === '1') await follow(world, job, query, signal, show);
  else await once(world, job, query, signal, show);
  write(merger.end());
}

/** Of one task, no output at all would look like that of an attempt that printed nothing. */
async function checkAttempt(world: World, job: JobView, index: string | undefined, attempt: number): Promise<void> {
  const client = await world.connect();
  const { tasks } = await client.tasks(String(job.id), { limit: 1, ...(index === undefined ? {} : { index }) });
  const [task] = tasks;
  if (task === undefined || task.attempt >= attempt) return;
  const why = task.attempt === 0 ? 'it has not started' : `its last attempt is ${task.attempt}`;
  throw new SpawnError('LOG_NOT_FOUND', { ref: `${task.id}, attempt ${attempt}`, why });
}

async function once(
  world: World,
  job: JobView,
  query: LogQueryInput,
  signal: AbortSignal,
  show: (record: LogRecord) => void,
): Promise<void> {
  const client = await world.connect();
  const records = new LogRecords();
  for await (const chunk of client.logs(String(job.id), query, { signal })) records.add(chunk).forEach(show);
}

/** After a loss of the coordinator the log comes again from its start, so what was shown of each attempt is left out. */
async function follow(
  world: World,
  job: JobView,
  query: LogQueryInput,
  signal: AbortSignal,
  show: (record: LogRecord) => void,
): Promise<void> {
  const shown = new Map<number, number>();
  await throughRestarts(world, signal, async (client) => {
    const records = new LogRecords();
    const came = new Map<number, number>();
    for await (const chunk of client.logs(String(job.id), query, { signal })) {
      for (const record of records.add(chunk)) {
        const number = (came.get(record.fence) ?? 0) + 1;
        came.set(record.fence, number);
        if (number <= (shown.get(record.fence) ?? 0)) continue;
        shown.set(record.fence, number);
        show(record);
      }
    }
    return true;
  });
}
