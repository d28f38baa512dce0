import { CLUSTER } from '../../api/slurm-names.ts';
import { leftText, limitText, shortClock } from './clock-text.ts';
import { type FieldRow, type FieldTables, fieldTables } from './percent-format.ts';
import { jobName, type QueueRow, ranFor, rowId, rowIndices, rowNumber, startOf } from './queue-rows.ts';
import {
  rowCpus,
  rowCpusPerTask,
  rowDependency,
  rowEligible,
  rowEnd,
  rowGres,
  rowLeastCpus,
  rowMemory,
  rowNodeCount,
  rowNodeList,
  rowNodes,
  rowPartition,
  rowPriority,
  rowRanks,
  rowReason,
  rowReasonList,
  rowShare,
  rowStart,
  rowTres,
  sizeText,
  waitStatus,
} from './queue-values.ts';
import { rowFiles } from './row-files.ts';
import type { TimeText } from './time-format.ts';
import { gidOfJob, groupOfJob, type Users, uidOfJob, userOfJob } from './users.ts';
import { shortState } from './words.ts';

/** What fields need beside the row. */
export interface QueueFacts {
  /** By the coordinator's clock, epoch ms. */
  readonly now: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly users: Users;
  readonly time: TimeText;
  /** Of a job that others wait for. */
  readonly isArray: (job: number) => boolean;
}

const NULL = '(null)';
const NONE = 'N/A';
/** What squeue divides priorities by for `%p`. */
const MOST_PRIORITY = 4_294_967_295;

type Value = (row: QueueRow, facts: QueueFacts) => string;
type Row = FieldRow<QueueRow, QueueFacts>;

const always = (text: string) => () => text;
const timeOf =
  (get: (row: QueueRow, facts: QueueFacts) => number | undefined): Value =>
  (row, facts) => {
    const at = get(row, facts);
    return at === undefined ? NONE : facts.time(at);
  };
const slurm =
  (name: 'account' | 'comment' | 'constraint' | 'licenses' | 'reservation' | 'wckey', none: string): Value =>
  ({ job }) =>
    job.slurm?.[name] ?? none;

/** Every field of squeue for jobs: its letter, its names for `-O`, its title. Source: squeue of Slurm 22.05.8. */
const ROWS: readonly Row[] = [
  ['a', 'account', 'ACCOUNT', slurm('account', NULL)],
  ['b', 'gres tres-per-node', 'TRES_PER_NODE', (row) => rowGres(row) ?? NONE],
  ['c', 'mincpus', 'MIN_CPUS', (row) => String(rowLeastCpus(row))],
  ['d', 'mintmpdisk', 'MIN_TMP_DISK', always('0')],
  ['e', 'endtime', 'END_TIME', endText],
  ['f', 'feature', 'FEATURES', slurm('constraint', NULL)],
  ['g', 'groupname', 'GROUP', ({ job }, { users }) => groupOfJob(job, users)],
  ['h', 'oversubscribe shared', 'OVER_SUBSCRIBE', rowShare],
  ['i', 'jobarrayid', 'JOBID', (row, { env }) => rowId(row, env)],
  ['j', 'name', 'NAME', ({ job }) => jobName(job)],
  ['k', 'comment', 'COMMENT', slurm('comment', NULL)],
  ['l', 'timelimit', 'TIME_LIMIT', ({ lane }) => limitText(lane.timeLimitMs, shortClock)],
  ['m', 'minmemory', 'MIN_MEMORY', (row) => sizeText(rowMemory(row).bytes)],
  ['n', 'reqnodes', 'REQ_NODES', ({ job }) => job.slurm?.nodelist ?? ''],
  ['o', 'command', 'COMMAND', ({ job }) => (job.slurm === undefined ? job.command : (job.slurm.command ?? NULL))],
  ['p', 'priority', 'PRIORITY', (row) => (rowPriority(row) / MOST_PRIORITY).toFixed(14)],
  ['q', 'qos', 'QOS', ({ job }) => job.slurm?.qos ?? 'normal'],
  ['r', 'reason', 'REASON', rowReason],
  ['s', 'selectjobinfo', '', always('')],
  ['t', 'statecompact', 'ST', ({ state }) => shortState(state)],
  ['u', 'username', 'USER', ({ job }, { users }) => userOfJob(job, users)],
  ['v', 'reservation', 'RESERVATION', slurm('reservation', NULL)],
  ['w', 'wckey', 'WCKEY', slurm('wckey', NULL)],
  ['x', '', 'EXC_NODES', ({ job }) => job.slurm?.excludeNodes ?? ''],
  ['y', 'nice', 'NICE', ({ lane }) => String(0 - lane.priority)],
  ['z', 'sct', 'S:C:T', always('*:*:*')],
  ['A', 'jobid', 'JOBID', (row) => String(rowNumber(row))],
  ['B', 'batchhost', 'EXEC_HOST', (row) => rowNodes(row)[0] ?? 'n/a'],
  ['C', 'numcpus', 'CPUS', (row) => String(rowCpus(row))],
  ['D', 'numnodes', 'NODES', (row) => String(rowNodeCount(row))],
  ['E', 'dependency', 'DEPENDENCY', (row, { isArray }) => rowDependency(row, isArray)],
  ['F', 'arrayjobid', 'ARRAY_JOB_ID', ({ job }) => String(job.id)],
  ['G', 'groupid', 'GROUP', ({ job }, { users }) => String(gidOfJob(job, users))],
  ['H', 'sockets', 'SOCKETS_PER_NODE', always('*')],
  ['I', 'cores', 'CORES_PER_SOCKET', always('*')],
  ['J', 'threads', 'THREADS_PER_CORE', always('*')],
  ['K', 'arraytaskid', 'ARRAY_TASK_ID', (row, { env }) => rowIndices(row, env) ?? NONE],
  ['L', 'timeleft', 'TIME_LEFT', (row, { now }) => leftText(row.lane.timeLimitMs, ranFor(row, now))],
  ['M', 'timeused', 'TIME', (row, { now }) => shortClock(ranFor(row, now))],
  ['N', 'nodelist', 'NODELIST', rowNodeList],
  ['O', 'contiguous', 'CONTIGUOUS', always('0')],
  ['P', 'partition', 'PARTITION', rowPartition],
  ['Q', 'prioritylong', 'PRIORITY', (row) => String(rowPriority(row))],
  ['R', 'reasonlist', 'NODELIST(REASON)', rowReasonList],
  ['S', 'starttime', 'START_TIME', timeOf(rowStart)],
  ['T', 'state', 'STATE', ({ state }) => state],
  ['U', 'userid', 'UID', ({ job }, { users }) => String(uidOfJob(job, users))],
  ['V', 'submittime', 'SUBMIT_TIME', timeOf(({ job }) => job.createdAt)],
  ['W', 'licenses', 'LICENSES', slurm('licenses', NULL)],
  ['X', 'corespec', 'CORE_SPEC', always(NONE)],
  ['Y', 'schednodes', 'SCHEDNODES', always(NULL)],
  ['Z', 'workdir', 'WORK_DIR', ({ job }) => job.cwd],
  ['', 'accruetime', 'ACCRUE_TIME', timeOf(rowEligible)],
  ['', 'admin_comment', 'ADMIN_COMMENT', always(NULL)],
  ['', 'allocnodes', 'ALLOC_NODES', ({ job }) => job.slurm?.submitHost ?? NULL],
  ['', 'allocsid', 'ALLOC_SID', always('0')],
  ['', 'associd', 'ASSOC_ID', always('0')],
  ['', 'batchflag', 'BATCH_FLAG', always('1')],
  ['', 'boardspernode', 'BOARDS_PER_NODE', always('0')],
  ['', 'burstbuffer', 'BURST_BUFFER', always(NULL)],
  ['', 'burstbufferstate', 'BURST_BUFFER_STATE', always(NULL)],
  ['', 'cluster', 'CLUSTER', always(CLUSTER)],
  ['', 'clusterfeature', 'CLUSTER_FEATURES', always(NULL)],
  ['', 'container', 'CONTAINER', always(NULL)],
  ['', 'cpus-per-task cpuspertask', 'CPUS_PER_TASK', (row) => String(rowCpusPerTask(row))],
  ['', 'cpus-per-tres', 'CPUS_PER_TRES', always(NONE)],
  ['', 'deadline', 'DEADLINE', timeOf(({ job }) => job.deadlineAt)],
  ['', 'delayboot', 'DELAY_BOOT', always('0:00')],
  ['', 'derivedec', 'DERIVED_EC', always('0')],
  ['', 'eligibletime', 'ELIGIBLE_TIME', timeOf(rowEligible)],
  ['', 'exit_code', 'EXIT_CODE', ({ exitCode }) => String(waitStatus(exitCode))],
  ['', 'hetjobid packjobid', 'HET_JOB_ID', always(NONE)],
  ['', 'hetjobidset packjobidset', 'HET_JOB_ID_SET', always(NONE)],
  ['', 'hetjoboffset packjoboffset', 'HET_JOB_OFFSET', always(NONE)],
  ['', 'lastschedeval', 'LAST_SCHED_EVAL', timeOf(({ job }) => job.createdAt)],
  ['', 'maxcpus', 'MAX_CPUS', (row) => String(rowCpus(row))],
  ['', 'maxnodes', 'MAX_NODES', ({ job }) => String(job.slurm?.nodes?.max ?? 0)],
  ['', 'mcslabel', 'MCSLABEL', always(NULL)],
  ['', 'mem-per-tres', 'MEM_PER_TRES', always(NONE)],
  ['', 'mintime', 'TIME_MIN', always('0:00')],
  ['', 'network', 'NETWORK', always(NULL)],
  ['', 'ntperboard', 'NTASKS_PER_BOARD', always('0')],
  ['', 'ntpercore', 'NTASKS_PER_CORE', always(NONE)],
  ['', 'ntpernode', 'NTASKS_PER_NODE', ({ job }) => String(job.slurm?.ntasksPerNode ?? 0)],
  ['', 'ntpersocket', 'NTASKS_PER_SOCKET', always(NONE)],
  ['', 'numtasks', 'TASKS', (row) => String(rowRanks(row))],
  ['', 'origin', 'ORIGIN', always('NA')],
  ['', 'originraw', 'ORIGIN_RAW', always('NA')],
  ['', 'pendingtime', 'PENDING_TIME', (row, { now }) => pendingText(row, now)],
  ['', 'preempttime', 'PREEMPT_TIME', always(NONE)],
  ['', 'prefer', 'PREFER', always(NULL)],
  ['', 'profile', 'PROFILE', always('NotSet')],
  ['', 'reboot', 'REBOOT', always('0')],
  ['', 'reqswitch', 'REQ_SWITCH', always('0')],
  ['', 'requeue', 'REQUEUE', ({ job }) => (job.slurm?.requeue === false ? '0' : '1')],
  ['', 'resizetime', 'RESIZE_TIME', always(NONE)],
  ['', 'restartcnt', 'RESTART_COUNT', ({ task }) => String(Math.max(0, (task?.attempt ?? 1) - 1))],
  ['', 'siblingsactive', 'ACTIVE_SIBLINGS', always('NA')],
  ['', 'siblingsactiveraw', 'ACTIVE_SIBLINGS_RAW', always('NA')],
  ['', 'siblingsviable', 'VIABLE_SIBLINGS', always('NA')],
  ['', 'siblingsviableraw', 'VIALBLE_SIBLINGS_RAW', always('NA')],
  ['', 'sperboard', 'SOCKETS_PER_BOARD', always('0')],
  ['', 'stderr', 'STDERR', (row, { users }) => rowFiles(row, row.job, userOfJob(row.job, users)).err],
  ['', 'stdin', 'STDIN', (row, { users }) => rowFiles(row, row.job, userOfJob(row.job, users)).in],
  ['', 'stdout', 'STDOUT', (row, { users }) => rowFiles(row, row.job, userOfJob(row.job, users)).out],
  ['', 'system_comment', 'SYSTEM_COMMENT', always(NULL)],
  ['', 'tres tres-alloc', 'TRES_ALLOC', rowTres],
  ['', 'tres-bind', 'TRES_BIND', always(NONE)],
  ['', 'tres-freq', 'TRES_FREQ', always(NONE)],
  ['', 'tres-per-job', 'TRES_PER_JOB', always(NONE)],
  ['', 'tres-per-socket', 'TRES_PER_SOCKET', always(NONE)],
  ['', 'tres-per-task', 'TRES_PER_TASK', always(NONE)],
];

function endText(row: QueueRow, { now, time }: QueueFacts): string {
  const end = rowEnd(row, now);
  if (end !== undefined) return time(end);
  // It starts some day and never has to end.
  return row.state === 'PENDING' && rowStart(row) !== undefined ? 'NONE' : NONE;
}

/** Seconds. */
function pendingText(row: QueueRow, now: number): string {
  return String(Math.max(0, Math.floor(((startOf(row) ?? now) - row.job.createdAt) / 1_000)));
}

export type QueueFields = FieldTables<QueueRow>;

/** The fields of squeue's table of jobs. */
export function queueFields(facts: QueueFacts): QueueFields {
  return fieldTables(ROWS, facts);
}

/** `%all` of squeue: every letter. */
export const ALL_LETTERS = ROWS.flatMap(([letter]) => (letter === '' ? [] : [letter]));
