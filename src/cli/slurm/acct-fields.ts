import { CLUSTER } from '../../api/slurm-names.ts';
import type { AcctField } from './acct-format.ts';
import type { AcctRow } from './acct-rows.ts';
import type { AcctSizes } from './acct-sizes.ts';
import { cpuClock, fullClock } from './clock-text.ts';
import { jobName, rowId, rowNumber } from './queue-rows.ts';
import { rowCpus, rowNodeCount, rowNodeList, rowPartition, rowPriority, rowReason } from './queue-values.ts';
import type { TimeText } from './time-format.ts';
import { gidOfJob, groupOfJob, type Users, uidOfJob, userOfJob } from './users.ts';

/** What the fields of sacct need beside the row. */
export interface AcctFacts {
  /** By the coordinator's clock, epoch ms. */
  readonly now: () => number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly users: Users;
  readonly time: TimeText;
  readonly sizes: AcctSizes;
}

type Value = (row: AcctRow, facts: AcctFacts) => string;

const empty: Value = () => '';
const always = (text: string) => () => text;
/** Of the job alone. */
const job =
  (value: Value): Value =>
  (row, facts) =>
    row.isStep ? '' : value(row, facts);
/** Of the step alone. */
const step =
  (value: Value): Value =>
  (row, facts) =>
    row.isStep ? value(row, facts) : '';
const timeText = (at: number | undefined, none: string, { time }: AcctFacts) => (at === undefined ? none : time(at));
const second = (ms: number) => Math.floor(ms / 1_000);

/** Seconds, without those in which it was suspended. */
export function elapsedSeconds({ startedAt, endedAt, task }: AcctRow, { now }: Pick<AcctFacts, 'now'>): number {
  if (startedAt === undefined) return 0;
  const until = second(endedAt ?? task?.suspendedAt ?? now());
  return Math.max(0, until - second(startedAt) - second(task?.suspendedMs ?? 0));
}

/** Seconds until now or its end. */
export function suspendedSeconds({ endedAt, task }: AcctRow, { now }: Pick<AcctFacts, 'now'>): number {
  const since = endedAt === undefined ? task?.suspendedAt : undefined;
  return second(task?.suspendedMs ?? 0) + (since === undefined ? 0 : Math.max(0, second(now()) - second(since)));
}

/** Seconds from when it could have run until it did. */
function reserved({ row, eligibleAt, startedAt, endedAt }: AcctRow, { now }: AcctFacts): number {
  if (eligibleAt === undefined) return 0;
  const until = startedAt ?? (row.state === 'PENDING' ? now() : (endedAt ?? eligibleAt));
  return Math.max(0, second(until) - second(eligibleAt));
}

const clock = (seconds: number) => fullClock(seconds * 1_000);
const cpus = ({ row }: AcctRow) => rowCpus(row);

function processorTime({ task }: AcctRow): string {
  const ms = task?.cpuMs ?? 0;
  return ms < 1 ? '00:00:00' : cpuClock(ms);
}

function tres({ row, task, isStep }: AcctRow, { sizes }: AcctFacts): string {
  const { lane } = row;
  const nodes = rowNodeCount(row);
  const gpus = lane.gpus === undefined ? [] : [`gres/gpu=${Math.ceil(lane.gpus * nodes)}`];
  const named = Object.entries(lane.resources ?? {}).map(([name, amount]) => `gres/${name}=${amount * nodes}`);
  const memory = lane.memoryBytes === 0 ? [] : [`mem=${sizes.asked(lane.memoryBytes * nodes)}`];
  const all = [...gpus, ...named.toSorted(), ...memory, `node=${task?.nodes?.length ?? nodes}`];
  return [...(isStep ? [] : [`billing=${rowCpus(row)}`]), `cpu=${rowCpus(row)}`, ...all].join(',');
}

const used =
  (value: (row: AcctRow, facts: AcctFacts) => string): Value =>
  (row, facts) =>
    row.isStep && row.task?.maxRssBytes !== undefined ? value(row, facts) : '';
const mostMemory = used(({ task }, { sizes }) => sizes.used(task!.maxRssBytes!));
const cpuUsed = used(({ task }) => fullClock(task!.cpuMs ?? 0));
const node = used(({ row }) => rowNodeList(row));
const rank = used(always('0'));
const usage = used((row, facts) => `cpu=${cpuUsed(row, facts)},mem=${mostMemory(row, facts)}`);
const usageNode = used((row, facts) => `cpu=${node(row, facts)},mem=${node(row, facts)}`);
const usageRank = used(always('cpu=0,mem=0'));
const frequency: Value = ({ isStep }) => (isStep ? '0' : 'Unknown');

function limit({ row, startedAt }: AcctRow, text: (ms: number) => string): string {
  if (row.lane.timeLimitMs !== 0) return text(row.lane.timeLimitMs);
  return startedAt === undefined ? 'Partition_Limit' : 'UNLIMITED';
}

const nodeCount: Value = ({ row, task }) => String(task?.nodes?.length ?? rowNodeCount(row));

/** Every field of sacct with its width, below 0 left-aligned. Source: sacct of Slurm 22.05.8. */
const ROWS: readonly (readonly [title: string, width: number, value: Value])[] = [
  ['Account', 10, ({ row }) => row.job.slurm?.account ?? ''],
  ['AdminComment', 15, empty],
  ['AllocCPUS', 10, (row) => String(cpus(row))],
  ['AllocNodes', 10, (row, facts) => (row.task === undefined ? '0' : nodeCount(row, facts))],
  ['AllocTRES', 10, (row, facts) => (row.task === undefined ? '' : tres(row, facts))],
  ['AssocID', 7, always('0')],
  ['AveCPU', 10, cpuUsed],
  ['AveCPUFreq', 10, step(always('0'))],
  ['AveDiskRead', 14, empty],
  ['AveDiskWrite', 14, empty],
  ['AvePages', 10, empty],
  ['AveRSS', 10, mostMemory],
  ['AveVMSize', 10, empty],
  ['BlockID', 16, empty],
  ['Cluster', 10, always(CLUSTER)],
  ['Comment', 14, job(({ row }) => row.job.slurm?.comment ?? '')],
  ['Constraints', 19, job(({ row }) => row.job.slurm?.constraint ?? '')],
  ['ConsumedEnergy', 14, empty],
  ['ConsumedEnergyRaw', 17, empty],
  ['Container', 19, empty],
  ['CPUTime', 10, (row, facts) => clock(elapsedSeconds(row, facts) * cpus(row))],
  ['CPUTimeRAW', 10, (row, facts) => String(elapsedSeconds(row, facts) * cpus(row))],
  ['DBIndex', -10, ({ row }) => String(rowNumber(row))],
  ['DerivedExitCode', 15, job(always('0:0'))],
  ['Elapsed', 10, (row, facts) => clock(elapsedSeconds(row, facts))],
  ['ElapsedRaw', 10, (row, facts) => String(elapsedSeconds(row, facts))],
  ['Eligible', 19, (row, facts) => timeText(row.eligibleAt, 'Unknown', facts)],
  ['End', 19, (row, facts) => timeText(row.endedAt, 'Unknown', facts)],
  ['ExitCode', 8, ({ exitCode }) => exitCode],
  ['Flags', 19, empty],
  ['GID', 6, job(({ row }, { users }) => String(gidOfJob(row.job, users)))],
  ['Group', 9, job(({ row }, { users }) => groupOfJob(row.job, users))],
  ['JobID', -12, (row, { env }) => `${jobId(row, env)}${row.isStep ? '.batch' : ''}`],
  ['JobIDRaw', -12, (row) => `${rowNumber(row.row)}${row.isStep ? '.batch' : ''}`],
  ['JobName', 10, ({ row, isStep }) => (isStep ? 'batch' : jobName(row.job))],
  ['Layout', 9, step(always('Unknown'))],
  ['MaxDiskRead', 12, empty],
  ['MaxDiskReadNode', 15, empty],
  ['MaxDiskReadTask', 15, empty],
  ['MaxDiskWrite', 12, empty],
  ['MaxDiskWriteNode', 16, empty],
  ['MaxDiskWriteTask', 16, empty],
  ['MaxPages', 8, empty],
  ['MaxPagesNode', 12, empty],
  ['MaxPagesTask', 14, empty],
  ['MaxRSS', 10, mostMemory],
  ['MaxRSSNode', 10, node],
  ['MaxRSSTask', 10, rank],
  ['MaxVMSize', 10, empty],
  ['MaxVMSizeNode', 14, empty],
  ['MaxVMSizeTask', 14, empty],
  ['McsLabel', 12, empty],
  ['MinCPU', 10, cpuUsed],
  ['MinCPUNode', 10, node],
  ['MinCPUTask', 10, rank],
  ['NCPUS', 10, (row) => String(cpus(row))],
  ['NNodes', 8, nodeCount],
  ['NodeList', 15, ({ row, task }) => (task === undefined ? 'None assigned' : rowNodeList(row))],
  ['NTasks', 8, step(always('1'))],
  ['Partition', 10, job(({ row }) => rowPartition(row))],
  ['Priority', 10, job(({ row }) => String(rowPriority(row)))],
  ['QOS', 10, job(({ row }) => row.job.slurm?.qos ?? 'normal')],
  ['QOSRAW', 6, job(always('1'))],
  ['Reason', 22, job(({ row, task }) => (task === undefined ? rowReason(row) : 'None'))],
  ['ReqCPUFreq', 10, frequency],
  ['ReqCPUFreqGov', 13, frequency],
  ['ReqCPUFreqMax', 13, frequency],
  ['ReqCPUFreqMin', 13, frequency],
  ['ReqCPUS', 8, (row) => String(cpus(row))],
  ['ReqMem', 10, job(({ row }, { sizes }) => sizes.asked(row.lane.memoryBytes))],
  ['ReqNodes', 8, nodeCount],
  ['ReqTRES', 10, job(tres)],
  ['Reservation', 20, job(({ row }) => row.job.slurm?.reservation ?? '')],
  ['ReservationId', 8, empty],
  ['Reserved', 10, job((row, facts) => clock(reserved(row, facts)))],
  ['ResvCPU', 10, job((row, facts) => clock(reserved(row, facts) * cpus(row)))],
  ['ResvCPURAW', 10, job((row, facts) => String(reserved(row, facts) * cpus(row)))],
  ['Start', 19, startText],
  ['State', 10, ({ stateText }) => stateText],
  ['Submit', 19, (row, { time }) => time(row.isStep ? (row.startedAt ?? 0) : row.row.job.createdAt)],
  ['SubmitLine', 20, empty],
  ['Suspended', 10, (row, facts) => clock(suspendedSeconds(row, facts))],
  ['SystemComment', 15, empty],
  ['SystemCPU', 10, ({ task }) => (task?.cpuMs === undefined ? '00:00:00' : '')],
  ['Timelimit', 10, job((row) => limit(row, fullClock))],
  ['TimelimitRaw', 10, job((row) => limit(row, (ms) => String(Math.ceil(ms / 60_000))))],
  ['TotalCPU', 10, processorTime],
  ['TRESUsageInAve', 14, usage],
  ['TRESUsageInMax', 14, usage],
  ['TRESUsageInMaxNode', 18, usageNode],
  ['TRESUsageInMaxTask', 18, usageRank],
  ['TRESUsageInMin', 14, usage],
  ['TRESUsageInMinNode', 18, usageNode],
  ['TRESUsageInMinTask', 18, usageRank],
  ['TRESUsageInTot', 14, usage],
  ['TRESUsageOutAve', 15, empty],
  ['TRESUsageOutMax', 15, empty],
  ['TRESUsageOutMaxNode', 19, empty],
  ['TRESUsageOutMaxTask', 19, empty],
  ['TRESUsageOutMin', 15, empty],
  ['TRESUsageOutMinNode', 19, empty],
  ['TRESUsageOutMinTask', 19, empty],
  ['TRESUsageOutTot', 15, empty],
  ['UID', 6, job(({ row }, { users }) => String(uidOfJob(row.job, users)))],
  ['User', 9, job(({ row }, { users }) => userOfJob(row.job, users))],
  ['UserCPU', 10, ({ task }) => (task?.cpuMs === undefined ? '00:00:00' : '')],
  ['WCKey', 10, job(({ row }) => row.job.slurm?.wckey ?? '')],
  ['WCKeyID', 10, job(always('0'))],
  ['WorkDir', 20, job(({ row }) => row.job.cwd)],
];

/** All of the indices: Slurm's database holds them so. */
function jobId({ row }: AcctRow, env: AcctFacts['env']): string {
  return rowId(row, { SLURM_BITSTR_LEN: '64', ...env });
}

function startText(row: AcctRow, facts: AcctFacts): string {
  return timeText(row.startedAt, row.row.state === 'PENDING' ? 'Unknown' : 'None', facts);
}

/** The fields of sacct. */
export function acctFields(facts: AcctFacts): readonly AcctField<AcctRow>[] {
  return ROWS.map(([title, width, value]) => ({ title, width, value: (row) => value(row, facts) }));
}

export const DEFAULT_FIELDS = 'jobid,jobname,partition,account,alloccpus,state,exitcode';
export const BRIEF_FIELDS = 'jobid,state,exitcode';
export const LONG_FIELDS =
  'jobid,jobidraw,jobname,partition,maxvmsize,maxvmsizenode,maxvmsizetask,avevmsize,maxrss,maxrssnode,maxrsstask,averss,maxpages,maxpagesnode,' +
  'maxpagestask,avepages,mincpu,mincpunode,mincputask,avecpu,ntasks,alloccpus,elapsed,state,exitcode,avecpufreq,reqcpufreqmin,reqcpufreqmax,' +
  'reqcpufreqgov,reqmem,consumedenergy,maxdiskread,maxdiskreadnode,maxdiskreadtask,avediskread,maxdiskwrite,maxdiskwritenode,maxdiskwritetask,' +
  'avediskwrite,reqtres,alloctres,tresusageinave,tresusageinmax,tresusageinmaxnode,tresusageinmaxtask,tresusageinmin,tresusageinminnode,' +
  'tresusageinmintask,tresusageintot,tresusageoutmax,tresusageoutmaxnode,tresusageoutmaxtask,tresusageoutave,tresusageouttot';

/** Names in four columns, as `--helpformat` prints them. */
export function fieldTable(names: readonly string[], width = 19): string {
  const lines: string[] = [];
  for (let at = 0; at < names.length; at += 4) {
    lines.push(
      names
        .slice(at, at + 4)
        .map((name) => name.padEnd(width))
        .join(' '),
    );
  }
  return `${lines.join('\n')}\n`;
}

export const ACCT_NAMES: readonly string[] = ROWS.map(([title]) => title);
