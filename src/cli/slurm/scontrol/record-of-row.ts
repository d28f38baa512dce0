import { formatHostlist } from '../../../core/hostlist.ts';
import { fullClock, limitText, localTime } from '../clock-text.ts';
import type { JobRecord } from '../job-record.ts';
import { jobName, type QueueRow, ranFor, rowIndices, rowNumber } from '../queue-rows.ts';
import {
  rowCpus,
  rowDependency,
  rowEligible,
  rowEnd,
  rowGres,
  rowMemory,
  rowNodeCount,
  rowNodes,
  rowPartition,
  rowPriority,
  rowRanks,
  rowStart,
  rowTres,
  sizeText,
} from '../queue-values.ts';
import { rowFiles } from '../row-files.ts';
import { gidOfJob, groupOfJob, type Users, uidOfJob, userOfJob } from '../users.ts';

const NULL = '(null)';
/** Of an array of which all was cancelled before it started. */
const NO_TASK = '4294967294';
const SHARING = { node: 'NO', user: 'USER', mcs: 'MCS' } as const;

/** What a record says and its row does not. */
export interface RecordFacts {
  /** By the coordinator's clock, epoch ms. */
  readonly now: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly users: Users;
  readonly zone: (epochMs: number) => number;
  readonly isArray: (job: number) => boolean;
  /** Attempts before the one that runs, ran last or is waited for. */
  readonly restarts: number;
}

/** What `scontrol show job` tells of a row of the queue. */
export function recordOfRow(row: QueueRow, facts: RecordFacts): JobRecord {
  const { job, lane } = row;
  const { slurm = {} } = job;
  const { now, users, zone } = facts;
  const user = userOfJob(job, users);
  const time = (at: number | undefined, none = 'Unknown') => localTime(at, zone, none);
  const memory = rowMemory(row);
  const files = rowFiles(row, job, user);
  const ranks = rowRanks(row);
  const cpus = rowCpus(row);
  const mail = slurm.mailType === undefined && slurm.mailUser === undefined;
  const indices = rowIndices(row, facts.env) ?? NO_TASK;
  return {
    jobId: rowNumber(row),
    ...(job.array === undefined ? {} : { array: { jobId: job.id, tasks: indices, throttle: job.throttle } }),
    name: jobName(job),
    user: `${user}(${uidOfJob(job, users)})`,
    group: `${groupOfJob(job, users)}(${gidOfJob(job, users)})`,
    priority: rowPriority(row),
    nice: lane.priority === 0 ? 0 : -lane.priority,
    account: slurm.account ?? NULL,
    qos: slurm.qos ?? NULL,
    state: row.state,
    reason: row.reasons[0],
    dependency: rowDependency(row, facts.isArray),
    requeue: slurm.requeue ?? true,
    restarts: facts.restarts,
    exitCode: row.exitCode,
    runTime: fullClock(ranFor(row, now)),
    timeLimit: limitText(lane.timeLimitMs, fullClock),
    submitTime: time(job.createdAt),
    eligibleTime: time(rowEligible(row)),
    startTime: time(rowStart(row)),
    endTime: time(rowEnd(row, now)),
    deadline: time(job.deadlineAt, 'N/A'),
    suspendTime: time(row.task?.suspendedAt, 'None'),
    beforeSuspend: row.task?.suspendedAt === undefined ? 0 : Math.floor(ranFor(row, now) / 1_000),
    partition: rowPartition(row),
    submitHost: slurm.submitHost ?? NULL,
    nodes: formatHostlist(rowNodes(row)),
    batchHost: rowNodes(row)[0] ?? '',
    nodeCount: nodesText(row),
    cpus,
    tasks: ranks,
    cpusPerTask: slurm.cpusPerTask ?? job.gang?.cpusPerTask ?? Math.max(1, Math.floor(cpus / ranks)),
    memory: { per: memory.per, text: sizeText(memory.bytes) },
    tres: rowTres(row),
    tasksPerNode: slurm.ntasksPerNode ?? 0,
    features: slurm.constraint ?? NULL,
    excludedNodes: slurm.excludeNodes ?? NULL,
    requestedNodes: slurm.nodelist ?? NULL,
    licenses: slurm.licenses ?? NULL,
    exclusive: slurm.exclusive === undefined ? (job.exclusive ? 'NO' : 'OK') : SHARING[slurm.exclusive],
    command: slurm.command ?? (job.slurm === undefined ? job.command : NULL),
    directory: job.cwd,
    comment: slurm.comment,
    stdErr: files.err,
    stdIn: files.in,
    stdOut: files.out,
    tresPerNode: rowGres(row) ?? '',
    mail: mail ? undefined : { user: slurm.mailUser ?? user, types: slurm.mailType?.join(',') ?? '' },
    details: detailsOf(row, memory.bytes),
    notes: slurm.notes ?? [],
  };
}

/** Before it starts Slurm shows what was asked for. */
function nodesText(row: QueueRow): string {
  const asked = row.job.gang?.nodes ?? row.job.slurm?.nodes;
  if (row.state !== 'PENDING' || asked === undefined || asked.max === 1) return String(rowNodeCount(row));
  return `${asked.min}-${asked.max}`;
}

/** What it has on each node. Which of the CPUs that are is not told: the kernel moves tasks between them. */
function detailsOf(row: QueueRow, bytes: number): readonly string[] {
  const { state, lane, job } = row;
  if (state !== 'RUNNING' && state !== 'SUSPENDED' && state !== 'COMPLETING') return [];
  const memory = job.slurm?.memPer === 'cpu' ? bytes * Math.max(1, lane.cpus) : lane.memoryBytes;
  const gres = lane.gpus === undefined ? '' : `gpu:${lane.gpus}`;
  const lines = rowNodes(row).map(
    (node) => `  Nodes=${node} CPU_IDs= Mem=${Math.ceil(memory / 1_048_576)} GRES=${gres}`,
  );
  return [`JOB_GRES=${gres === '' ? NULL : gres}`, ...lines];
}
