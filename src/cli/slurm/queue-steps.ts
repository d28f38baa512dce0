import { CLUSTER } from '../../api/slurm-names.ts';
import { shortClock } from './clock-text.ts';
import type { SlurmId } from './job-ids.ts';
import { type FieldRow, type Fields, fieldTables } from './percent-format.ts';
import type { QueueFacts, QueueFields } from './queue-fields.ts';
import { compareIds, type QueueRow, ranFor, rowId, rowNumber, startOf } from './queue-rows.ts';
import { rowCpus, rowNodeList, rowPartition, rowPriority, rowTres } from './queue-values.ts';
import type { Orders } from './sort-keys.ts';
import { uidOfJob, userOfJob } from './users.ts';

type Row = FieldRow<QueueRow, QueueFacts>;

const NULL = () => '(null)';

/** Every field of squeue for steps; a row is the task whose step `batch` it shows. Source: squeue of Slurm 22.05.8. */
const ROWS: readonly Row[] = [
  ['b', 'gres tres-per-node', 'TRES_PER_JOB', NULL],
  ['i', 'stepid', 'STEPID', (row, { env }) => stepId(row, env)],
  ['j', 'stepname', 'NAME', () => 'batch'],
  ['l', 'timelimit', 'TIME_LIMIT', () => 'UNLIMITED'],
  ['u', 'username', 'USER', ({ job }, { users }) => userOfJob(job, users)],
  ['A', 'numtasks', 'TASKS', () => '1'],
  ['M', 'timeused', 'TIME', (row, { now }) => shortClock(ranFor(row, now))],
  ['N', 'nodes', 'NODELIST', rowNodeList],
  ['P', 'partition', 'PARTITION', rowPartition],
  ['S', 'starttime', 'START_TIME', (row, { time }) => time(startOf(row) ?? 0)],
  ['U', 'userid', 'UID', ({ job }, { users }) => String(uidOfJob(job, users))],
  ['', 'arrayjobid', 'ARRAY_JOB_ID', ({ job }) => (job.array === undefined ? 'N/A' : String(job.id))],
  ['', 'arraytaskid', 'ARRAY_TASK_ID', ({ job, task }) => (job.array === undefined ? 'N/A' : String(task?.index))],
  ['', 'cluster', 'CLUSTER', () => CLUSTER],
  ['', 'container', 'CONTAINER', NULL],
  ['', 'cpufreq', 'CPU_FREQ', () => '0-0:0'],
  ['', 'cpus-per-tres', 'CPUS_PER_TRES', NULL],
  ['', 'jobid', 'JOB_ID', (row) => String(rowNumber(row))],
  ['', 'mem-per-tres', 'MEM_PER_TRES', NULL],
  ['', 'numcpus', 'NUM_CPUS', (row) => String(rowCpus(row))],
  ['', 'resvports', 'RESERVED_PORTS', NULL],
  ['', 'stepstate', 'STATE', ({ state }) => (state === 'SUSPENDED' ? state : 'RUNNING')],
  ['', 'tres-alloc-str', 'TRES_ALLOC', rowTres],
  ['', 'tres-bind', 'TRES_BIND', NULL],
  ['', 'tres-freq', 'TRES_FREQ', NULL],
  ['', 'tres-per-job tres-per-step', 'TRES_PER_STEP', NULL],
  ['', 'tres-per-socket', 'TRES_PER_SOCKET', NULL],
  ['', 'tres-per-task', 'TRES_PER_TASK', NULL],
];

function stepId(row: QueueRow, env: QueueFacts['env']): string {
  return `${rowId(row, env)}.batch`;
}

/** The fields of squeue's table of steps. */
export function stepFields(facts: QueueFacts): QueueFields {
  return fieldTables(ROWS, facts);
}

/** `%all` for steps. */
export const STEP_LETTERS = ROWS.flatMap(([letter]) => (letter === '' ? [] : [letter]));

/** Every letter but `b` is taken; those that steps have no value for leave them as they are. */
export function stepOrders({ letters }: { readonly letters: Fields<QueueRow> }): Orders<QueueRow> {
  const orders: Record<string, (a: QueueRow, b: QueueRow) => number> = {};
  for (const letter of 'acdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ') {
    const value = letters[letter]?.value;
    orders[letter] = value === undefined ? () => 0 : (a, b) => (value(a) < value(b) ? -1 : Number(value(a) > value(b)));
  }
  orders.i = compareIds;
  orders.M = (a, b) => (startOf(b) ?? 0) - (startOf(a) ?? 0);
  orders.S = (a, b) => (startOf(a) ?? 0) - (startOf(b) ?? 0);
  orders.p = (a, b) => rowPriority(a) - rowPriority(b);
  return orders;
}

/** Whether a task is running, and its step `batch` among those that were named. */
export function isStepOf(row: QueueRow, steps: readonly SlurmId[]): boolean {
  const runs = row.state === 'RUNNING' || row.state === 'SUSPENDED' || row.state === 'COMPLETING';
  if (!runs || row.task === undefined) return false;
  const { index, rawId } = row.task;
  return (
    steps.length === 0 ||
    steps.some(({ ref, step }) => {
      if (step !== undefined && step !== 'batch') return false;
      if (ref.kind === 'tasks') return ref.id === row.job.id && ref.indices.has(index);
      return ref.id === rawId || (ref.id === row.job.id && step === undefined);
    })
  );
}
