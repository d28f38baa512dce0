import { CLUSTER } from '../../api/slurm-names.ts';
import { type AcctFacts, elapsedSeconds, suspendedSeconds } from './acct-fields.ts';
import { type AcctRow, batchStep } from './acct-rows.ts';
import type { Data } from './openapi-text.ts';
import { jobName, rowIndices, rowNumber } from './queue-rows.ts';
import { rowCpus, rowNodeCount, rowNodeList, rowNodes, rowPartition, rowPriority, rowReason } from './queue-values.ts';
import { groupOfJob, userOfJob } from './users.ts';

const MIB = 1_048_576;

/** What names the data of `sacct --json`. */
export const ACCT_PLUGIN = { type: 'openapi/dbv0.0.38', name: 'Slurm OpenAPI DB v0.0.38' };

const seconds = (at: number | undefined) => (at === undefined ? 0 : Math.floor(at / 1_000));

/** A job of `sacct --json`, with the keys of Slurm 22.05's; what nobody knows here is null or 0. */
export function acctData(acct: AcctRow, facts: AcctFacts, withSteps: boolean): Data {
  const { row, task } = acct;
  const { job, lane } = row;
  const { slurm = {} } = job;
  const user = userOfJob(job, facts.users);
  const isArray = job.array !== undefined;
  const isCancelled = acct.stateText.startsWith('CANCELLED by');
  const step = withSteps ? batchStep(acct) : undefined;
  return {
    account: slurm.account ?? '',
    comment: { administrator: null, job: slurm.comment ?? null, system: null },
    allocation_nodes: task === undefined ? 0 : rowNodeCount(row),
    array: {
      job_id: isArray ? job.id : 0,
      limits: { max: { running: { tasks: job.throttle } } },
      task: isArray && task === undefined ? (rowIndices(row, { SLURM_BITSTR_LEN: '0' }, false) ?? null) : null,
      task_id: task === undefined || !isArray ? null : task.index,
    },
    association: { account: slurm.account ?? '', cluster: CLUSTER, partition: null, user },
    cluster: CLUSTER,
    constraints: slurm.constraint ?? '',
    container: null,
    derived_exit_code: exitData('0:0'),
    time: {
      elapsed: elapsedSeconds(acct, facts),
      eligible: seconds(acct.eligibleAt),
      end: seconds(acct.endedAt),
      start: seconds(acct.startedAt),
      submission: seconds(job.createdAt),
      suspended: suspendedSeconds(acct, facts),
      system: { seconds: 0, microseconds: 0 },
      limit: lane.timeLimitMs === 0 ? null : Math.ceil(lane.timeLimitMs / 60_000),
      total: processorData(acct),
      user: { seconds: 0, microseconds: 0 },
    },
    exit_code: exitData(acct.exitCode),
    flags: [],
    group: groupOfJob(job, facts.users),
    het: { job_id: 0, job_offset: null },
    job_id: rowNumber(row),
    name: jobName(job),
    mcs: { label: '' },
    nodes: task === undefined ? 'None assigned' : rowNodeList(row),
    partition: rowPartition(row),
    priority: rowPriority(row),
    qos: slurm.qos ?? 'normal',
    required: { CPUs: rowCpus(row), memory: Math.ceil(lane.memoryBytes / MIB) },
    kill_request_user: isCancelled ? user : null,
    reservation: { id: 0, name: 0 },
    state: { current: acct.state, reason: task === undefined ? rowReason(row) : 'None' },
    steps: step === undefined ? [] : [stepData(step, facts)],
    tres: {
      allocated: task === undefined ? [] : tresData(acct, true),
      requested: tresData(acct, false),
    },
    user,
    wckey: { wckey: slurm.wckey ?? '', flags: [] },
    working_directory: job.cwd,
  };
}

function stepData(step: AcctRow, facts: AcctFacts): Data {
  const { row, task } = step;
  const used = task?.maxRssBytes === undefined ? [] : [tresItem('mem', 2, task.maxRssBytes)];
  const consumed = [...(task?.cpuMs === undefined ? [] : [tresItem('cpu', 1, Math.round(task.cpuMs))]), ...used];
  return {
    nodes: { list: rowNodes(row), count: rowNodeCount(row), range: rowNodeList(row) },
    tres: {
      requested: { max: used, min: used, average: consumed, total: consumed },
      consumed: { max: [], min: [], average: [], total: [] },
      allocated: tresData(step, false).filter(({ type }) => type !== 'billing'),
    },
    time: {
      elapsed: elapsedSeconds(step, facts),
      end: seconds(step.endedAt),
      start: seconds(step.startedAt),
      suspended: suspendedSeconds(step, facts),
      system: { seconds: 0, microseconds: 0 },
      total: processorData(step),
      user: { seconds: 0, microseconds: 0 },
    },
    exit_code: exitData(step.exitCode),
    tasks: { count: 1 },
    pid: null,
    CPU: { requested_frequency: { min: 0, max: 0 }, governor: [] },
    kill_request_user: null,
    state: step.state,
    statistics: { CPU: { actual_frequency: 0 }, energy: { consumed: 0 } },
    step: { job_id: rowNumber(row), het: { component: null }, id: 'batch', name: 'batch' },
    task: { distribution: 'Unknown' },
  };
}

function processorData({ task }: AcctRow): Data {
  const micros = Math.round((task?.cpuMs ?? 0) * 1_000);
  return { seconds: Math.floor(micros / 1_000_000), microseconds: micros % 1_000_000 };
}

function exitData(exitCode: string): Data {
  const [code = 0, signal = 0] = exitCode.split(':').map(Number);
  if (signal > 0) return { status: 'SIGNALED', return_code: code, signal: { signal_id: signal, name: null } };
  return { status: code === 0 ? 'SUCCESS' : 'ERROR', return_code: code };
}

interface Tres {
  readonly [key: string]: Data;
  readonly type: string;
}

function tresItem(type: string, id: number, count: number | null, name: string | null = null): Tres {
  return { type, name, id, count };
}

function tresData({ row }: AcctRow, allocated: boolean): readonly Tres[] {
  const { lane } = row;
  const nodes = rowNodeCount(row);
  return [
    tresItem('cpu', 1, rowCpus(row)),
    ...(lane.memoryBytes === 0 ? [] : [tresItem('mem', 2, Math.ceil((lane.memoryBytes * nodes) / MIB))]),
    ...(allocated ? [tresItem('energy', 3, null)] : []),
    tresItem('node', 4, nodes),
    tresItem('billing', 5, rowCpus(row)),
    ...(lane.gpus === undefined ? [] : [tresItem('gres', 1_001, Math.ceil(lane.gpus * nodes), 'gpu')]),
  ];
}
