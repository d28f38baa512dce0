import { CLUSTER } from '../../api/slurm-names.ts';
import type { Data } from './openapi-text.ts';
import type { QueueFacts } from './queue-fields.ts';
import { endOf, jobName, type QueueRow, rowIndices, rowNumber, startOf } from './queue-rows.ts';
import {
  rowCpus,
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
  rowShare,
  rowStart,
  rowTres,
  waitStatus,
} from './queue-values.ts';
import { rowFiles } from './row-files.ts';
import { gidOfJob, groupOfJob, uidOfJob, userOfJob } from './users.ts';

const MIB = 1_048_576;
const MINUTE_MS = 60_000;

/** Epoch seconds; 0 for never. */
function seconds(at: number | undefined): number {
  return at === undefined ? 0 : Math.floor(at / 1_000);
}

/** A row with every key of Slurm's v0.0.38; those of what there is not here are null, 0 or empty. */
export function queueData(row: QueueRow, facts: QueueFacts): Data {
  const { job, task, set, lane, single } = row;
  const { slurm = {} } = job;
  const memory = rowMemory(row);
  const isArray = job.array !== undefined;
  const megabytes = Math.ceil(memory.bytes / MIB);
  const dependency = rowDependency(row, facts.isArray);
  const started = task !== undefined;
  const share = rowShare(row);
  const user = userOfJob(job, facts.users);
  const files = rowFiles(row, job, user);
  const one = task?.index ?? (single ? set!.min : null);
  return {
    account: slurm.account ?? '',
    accrue_time: seconds(rowEligible(row)),
    admin_comment: '',
    array_job_id: isArray ? job.id : 0,
    array_task_id: isArray ? one : null,
    array_max_tasks: isArray ? job.throttle : 0,
    array_task_string: isArray && one === null ? (rowIndices(row, facts.env) ?? '') : '',
    association_id: 0,
    batch_features: '',
    batch_flag: true,
    batch_host: rowNodes(row)[0] ?? '',
    flags: [],
    burst_buffer: '',
    burst_buffer_state: '',
    cluster: CLUSTER,
    cluster_features: '',
    command: slurm.command ?? '',
    comment: slurm.comment ?? '',
    container: '',
    contiguous: false,
    core_spec: null,
    thread_spec: null,
    cores_per_socket: null,
    billable_tres: started ? { float: rowCpus(row) } : null,
    cpus_per_task: slurm.cpusPerTask ?? null,
    cpu_frequency_minimum: null,
    cpu_frequency_maximum: null,
    cpu_frequency_governor: null,
    cpus_per_tres: '',
    deadline: seconds(job.deadlineAt),
    delay_boot: 0,
    dependency: dependency === '(null)' ? '' : dependency,
    derived_exit_code: 0,
    eligible_time: seconds(rowEligible(row)),
    end_time: seconds(endOf(row) ?? rowEnd(row, facts.now)),
    excluded_nodes: slurm.excludeNodes ?? '',
    exit_code: waitStatus(row.exitCode),
    features: slurm.constraint ?? '',
    federation_origin: '',
    federation_siblings_active: '',
    federation_siblings_viable: '',
    gres_detail: [],
    group_id: gidOfJob(job, facts.users),
    group_name: groupOfJob(job, facts.users),
    job_id: rowNumber(row),
    ...(started ? { job_resources: resourcesOf(row) } : {}),
    job_state: row.state,
    last_sched_evaluation: seconds(job.createdAt),
    licenses: slurm.licenses ?? '',
    max_cpus: 0,
    max_nodes: slurm.nodes?.max ?? 0,
    mcs_label: '',
    memory_per_tres: '',
    name: jobName(job),
    nodes: rowNodeList(row),
    nice: lane.priority === 0 ? null : -lane.priority,
    tasks_per_core: null,
    tasks_per_node: slurm.ntasksPerNode ?? 0,
    tasks_per_socket: null,
    tasks_per_board: 0,
    cpus: rowCpus(row),
    node_count: rowNodeCount(row),
    tasks: rowRanks(row),
    het_job_id: 0,
    het_job_id_set: '',
    het_job_offset: 0,
    partition: rowPartition(row),
    prefer: '',
    memory_per_node: memory.per === 'Node' && megabytes > 0 ? megabytes : null,
    memory_per_cpu: memory.per === 'CPU' ? megabytes : null,
    minimum_cpus_per_node: rowLeastCpus(row),
    minimum_tmp_disk_per_node: 0,
    preempt_time: 0,
    pre_sus_time: 0,
    priority: rowPriority(row),
    profile: null,
    qos: slurm.qos ?? 'normal',
    reboot: false,
    required_nodes: slurm.nodelist ?? '',
    requeue: slurm.requeue !== false,
    resize_time: 0,
    restart_cnt: Math.max(0, (task?.attempt ?? 1) - 1),
    resv_name: slurm.reservation ?? '',
    shared: share === 'OK' ? null : share.toLowerCase(),
    show_flags: ['SHOW_ALL', 'SHOW_DETAIL', 'SHOW_LOCAL'],
    sockets_per_board: 0,
    sockets_per_node: null,
    start_time: seconds(startOf(row) ?? rowStart(row)),
    state_description: '',
    state_reason: row.reasons[0],
    standard_error: files.err,
    standard_input: files.in,
    standard_output: files.out,
    submit_time: seconds(job.createdAt),
    suspend_time: seconds(task?.suspendedAt),
    system_comment: '',
    time_limit: lane.timeLimitMs === 0 ? null : Math.ceil(lane.timeLimitMs / MINUTE_MS),
    time_minimum: 0,
    threads_per_core: null,
    tres_bind: '',
    tres_freq: '',
    tres_per_job: '',
    tres_per_node: rowGres(row) ?? '',
    tres_per_socket: '',
    tres_per_task: '',
    tres_req_str: rowTres(row),
    tres_alloc_str: started ? rowTres(row) : '',
    user_id: uidOfJob(job, facts.users),
    user_name: user,
    wckey: slurm.wckey ?? '',
    current_working_directory: job.cwd,
  };
}

/** What its nodes gave. Of sockets and cores workers say nothing. */
function resourcesOf(row: QueueRow): Data {
  const { task, lane } = row;
  const cpus = rowCpus(row);
  const nodes = task?.nodes ?? (task?.worker === undefined ? [] : [{ name: task.worker, cpus }]);
  return {
    nodes: rowNodeList(row),
    allocated_cpus: cpus,
    allocated_hosts: nodes.length,
    allocated_nodes: nodes.map((node) => ({
      sockets: {},
      nodename: node.name,
      cpus_used: node.cpus,
      memory_used: 0,
      memory_allocated: Math.ceil(lane.memoryBytes / MIB),
    })),
  };
}
