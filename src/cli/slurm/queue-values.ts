import type { JobView } from '../../api/job.ts';
import { PARTITION } from '../../api/slurm-names.ts';
import { parseDependency } from '../../core/dependency.ts';
import { formatHostlist } from '../../core/hostlist.ts';
import { dependencyText } from './dependency-text.ts';
import { PRIORITY_0 } from './priorities.ts';
import { endOf, type QueueRow, ranFor, startOf } from './queue-rows.ts';
import { reasonSentence } from './words.ts';

const KIB = 1_024;
const MIB = KIB * KIB;
const UNITS = ['M', 'G', 'T', 'P'];
const MOST_SHOWN_PRIORITY = 4_294_967_293;

/** `100M`, `2G`: as Slurm writes sizes: in the largest unit of which it is a whole number. */
export function sizeText(bytes: number): string {
  let size = Math.ceil(bytes / MIB);
  let unit = 0;
  while (size > 0 && size % KIB === 0 && unit < UNITS.length - 1) {
    size /= KIB;
    unit++;
  }
  return size === 0 ? '0' : `${size}${UNITS[unit]}`;
}

/** What a row asks of memory: for each CPU where it was given so. */
export function rowMemory({ job, lane }: QueueRow): { readonly bytes: number; readonly per: 'CPU' | 'Node' } {
  if (job.gang !== undefined && job.gang.memoryBytesPerTask > 0 && lane.memoryBytes === 0) {
    return { bytes: job.gang.memoryBytesPerTask / job.gang.cpusPerTask, per: 'CPU' };
  }
  if (job.slurm?.memPer !== 'cpu') return { bytes: lane.memoryBytes, per: 'Node' };
  return { bytes: lane.memoryBytes / (rowCpus({ job, lane, task: undefined }) || 1), per: 'CPU' };
}

/** Whole CPUs of a row, of all its nodes together. */
export function rowCpus({ task, lane }: Pick<QueueRow, 'job' | 'lane' | 'task'>): number {
  const cpus = task?.nodes?.reduce((sum, node) => sum + node.cpus, 0) ?? lane.cpus;
  return Math.max(1, Math.ceil(cpus));
}

/** Nodes that it has, had or needs at least. */
export function rowNodeCount({ task, job }: QueueRow): number {
  return task?.nodes?.length ?? job.gang?.nodes?.min ?? job.slurm?.nodes?.min ?? 1;
}

/** Names of the nodes that it has or had, in the order of its ranks. */
export function rowNodes({ task }: QueueRow): readonly string[] {
  return task?.nodes?.map(({ name }) => name) ?? (task?.worker === undefined ? [] : [task.worker]);
}

/** The same as one list: `n[1-3]`; empty for none. */
export function rowNodeList(row: QueueRow): string {
  return formatHostlist(rowNodes(row));
}

/** Ranks of it: what Slurm calls tasks. */
export function rowRanks(row: QueueRow): number {
  const { task, job } = row;
  return (
    task?.nodes?.reduce((sum, node) => sum + node.tasks, 0) ??
    job.gang?.tasks ??
    job.slurm?.ntasks ??
    (job.gang?.tasksPerNode ?? 1) * (job.gang === undefined ? 1 : rowNodeCount(row))
  );
}

/** `cpu=1,mem=100M,node=1,billing=1` */
export function rowTres(row: QueueRow): string {
  const { lane } = row;
  const [cpus, nodes] = [rowCpus(row), rowNodeCount(row)];
  const named = Object.entries(lane.resources ?? {}).map(([name, amount]) => `,gres/${name}=${amount * nodes}`);
  const memory = lane.memoryBytes === 0 ? '' : `,mem=${sizeText(lane.memoryBytes * nodes)}`;
  const gpus = lane.gpus === undefined ? '' : `,gres/gpu=${Math.ceil(lane.gpus * nodes)}`;
  return `cpu=${cpus}${memory},node=${nodes},billing=${cpus}${gpus}${named.join('')}`;
}

/** `gres:gpu:2`: as it was asked for; Slurm's own are shown only where they were asked for by the node. */
export function rowGres({ job, lane }: QueueRow): string | undefined {
  if (job.slurm?.gres !== undefined) return `gres:${job.slurm.gres}`;
  if (job.slurm !== undefined) return undefined;
  return lane.gpus === undefined ? undefined : `gres:gpu:${lane.gpus}`;
}

/** A number as Slurm's basic scheduler gives them, the higher the earlier; 0 for what is held. */
export function rowPriority({ lane, reasons }: QueueRow): number {
  const held = reasons[0] === 'JobHeldUser' || reasons[0] === 'job_requeued_in_held_state';
  return held ? 0 : Math.min(Math.max(1, PRIORITY_0 + lane.priority), MOST_SHOWN_PRIORITY);
}

/** The partition that it was submitted to; several in a list. */
export function rowPartition({ job }: { readonly job: JobView }): string {
  return job.slurm?.partition ?? PARTITION;
}

/** `(JobHeldUser)` of what waits or failed, else where it runs or ran. */
export function rowReasonList(row: QueueRow): string {
  return SHOWS_REASON.has(row.state) ? `(${rowReason(row)})` : rowNodeList(row);
}

const SHOWS_REASON: ReadonlySet<string> = new Set(['PENDING', 'FAILED', 'TIMEOUT', 'OUT_OF_MEMORY', 'DEADLINE']);

/** Its reasons, most important first. */
export function rowReason({ reasons }: QueueRow): string {
  return reasons.map(reasonSentence).join(',');
}

/** When it starts, as far as that is known, or started. */
export function rowStart(row: QueueRow): number | undefined {
  return startOf(row) ?? (row.state === 'PENDING' ? row.job.beginAt : undefined);
}

/** When it ended, or ends at the latest; undefined: nobody knows. */
export function rowEnd(row: QueueRow, now: number): number | undefined {
  const ended = endOf(row);
  if (ended !== undefined) return ended;
  const { timeLimitMs } = row.lane;
  if (timeLimitMs === 0) return undefined;
  const start = rowStart(row);
  // A suspended task's clock stands still.
  return row.task === undefined ? start && start + timeLimitMs : now - ranFor(row, now) + timeLimitMs;
}

/** When nothing but other jobs kept it from running. */
export function rowEligible({ job, state, reasons }: QueueRow): number | undefined {
  if (job.beginAt !== undefined && job.beginAt > job.createdAt) return job.beginAt;
  const waits = state === 'PENDING' && (reasons[0] === 'JobHeldUser' || reasons[0] === 'Dependency');
  return waits ? undefined : job.createdAt;
}

/** Jobs that a row waits for. */
export function awaitedJobs({ after }: QueueRow): readonly number[] {
  return parseRowAfter(after)?.terms.flatMap((term) => (term.type === 'singleton' ? [] : [term.jobId])) ?? [];
}

/** `afterok:7_*(unfulfilled)`; `(null)` for none. */
export function rowDependency({ after, terms, reasons }: QueueRow, isArray: (job: number) => boolean): string {
  const dependency = parseRowAfter(after);
  const never = reasons[0] === 'DependencyNeverSatisfied' && dependency?.terms.length === 1;
  // One of aftercorr fails for a task, and is open for the others.
  return dependencyText(dependency, terms ?? (never ? ['failed'] : []), isArray);
}

function parseRowAfter(after: string | undefined) {
  return after === undefined ? undefined : parseDependency(after);
}

/** Whether others may run beside it: `OK`, `NO`, `USER`, `MCS`. */
export function rowShare({ job: { exclusive, slurm } }: QueueRow): 'OK' | 'NO' | 'USER' | 'MCS' {
  if (slurm?.exclusive === 'user') return 'USER';
  if (slurm?.exclusive === 'mcs') return 'MCS';
  return exclusive === true || slurm?.exclusive === 'node' ? 'NO' : 'OK';
}

/** CPUs of each of its ranks. */
export function rowCpusPerTask(row: QueueRow): number {
  const { slurm, gang } = row.job;
  return slurm?.cpusPerTask ?? gang?.cpusPerTask ?? Math.max(1, Math.floor(rowCpus(row) / (slurm?.ntasks ?? 1)));
}

/** CPUs that a node must have for it. */
export function rowLeastCpus(row: QueueRow): number {
  return Math.max(1, row.job.slurm?.ntasksPerNode ?? 1) * rowCpusPerTask(row);
}

/** `3:0` as wait(2) gives it: 768. */
export function waitStatus(exitCode: string): number {
  const [code = 0, signal = 0] = exitCode.split(':').map(Number);
  return code * 256 + signal;
}
