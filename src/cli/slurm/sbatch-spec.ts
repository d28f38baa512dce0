import { type Layout, layoutOf } from '../../config/slurm/nodes.ts';
import { ownPattern } from '../../config/slurm/output-pattern.ts';
import type { SbatchRequest } from '../../config/slurm/sbatch-request.ts';
import type { SbatchValues } from '../../config/slurm/sbatch-values.ts';
import { cpusOfGang } from '../../core/gang.ts';
import { beginOf, deadlineOf, type SpecPart } from '../submit/spec-of.ts';
import { given } from './given.ts';
import { nearestPriority } from './priorities.ts';

/** What is recorded of a job for Slurm's commands. */
type Recorded = NonNullable<SpecPart['slurm']>;

/** Where and by whom it is submitted. */
export type SubmitFacts = Pick<Recorded, 'submitHost' | 'submitDir' | 'uid' | 'gid' | 'group' | 'command'>;

/** What becomes of a request, but what runs, in which directory and environment. */
export interface SbatchSpec {
  readonly spec: SpecPart;
  /** How many tasks on how many nodes. */
  readonly layout: Layout;
}

/** The spec of a job that sbatch asks for. */
export function sbatchSpec({ values, notes }: SbatchRequest, facts: SubmitFacts): SbatchSpec {
  const layout = layoutOf({ ...values, tasks: values.tasks ?? tasksOfGpus(values) });
  const name = values.array === undefined ? 'slurm-%j.out' : 'slurm-%A_%a.out';
  const spec: SpecPart = {
    array: values.array?.set.toString(),
    throttle: values.array?.throttle,
    ...(isGang(layout) ? gangOf(values, layout) : sizesOf(values, layout)),
    exclusive: values.exclusive === undefined ? undefined : true,
    resources: values.gres?.resources ?? {},
    timeLimitMs: values.timeLimitMs,
    after: values.after,
    invalidDependency: values.killOnInvalidDependency === true ? 'skip' : 'wait',
    hold: values.hold,
    priority: values.nice === undefined ? undefined : nearestPriority(-values.nice),
    outputPath: ownPattern(values.output ?? name),
    // Without one of its own, standard error goes where the output goes.
    errorPath: ownPattern(values.error ?? values.output ?? name),
    inputPath: values.input === undefined ? undefined : ownPattern(values.input),
    openMode: values.openMode,
    signal: signalOf(values),
    ...(values.begin && beginOf(values.begin)),
    ...(values.deadline && deadlineOf(values.deadline)),
    slurm: given(recordOf(values, notes, facts)),
  };
  return { spec: given(spec), layout };
}

function tasksOfGpus({ tasksPerGpu, gpus, gres }: SbatchValues): number | undefined {
  const devices = gpus?.gpus ?? gres?.gpus ?? 0;
  return tasksPerGpu === undefined || devices === 0 ? undefined : tasksPerGpu * devices;
}

function isGang({ nodes, tasks }: Layout): boolean {
  return tasks > 1 || nodes.max > 1;
}

/** What a job of one task on one node needs. */
function sizesOf(values: SbatchValues, { cpusPerTask }: Layout): SpecPart {
  const gpus = gpusOfNode(values, 1) + (values.gpusPerTask?.gpus ?? 0);
  const cpus = Math.max(cpusPerTask, values.leastCpus ?? 0, (values.cpusPerGpu ?? 0) * gpus);
  const { memory } = values;
  const count = memory?.per === 'cpu' ? cpus : memory?.per === 'gpu' ? gpus : 1;
  return { cpus, gpus, memoryBytes: memory && memory.bytes * count };
}

/** What one of several tasks needs, and their nodes. */
function gangOf(values: SbatchValues, layout: Layout): SpecPart {
  const { memory, tasksPerNode } = values;
  const tasks = values.tasks ?? tasksOfGpus(values);
  // With fewer tasks than nodes Slurm takes as many nodes as there are tasks.
  const bounded = (count: number) => Math.min(count, tasks ?? count);
  const asked = values.nodes === undefined || values.nodes.min === 0 ? undefined : values.nodes;
  const nodes = asked && { min: bounded(asked.min), max: bounded(asked.max) };
  const least = nodes?.min ?? layout.nodes.min;
  const gpus = gpusOfNode(values, least);
  const gpusPerTask = values.gpusPerTask?.gpus;
  const ranksOfNode = Math.ceil(layout.tasks / least);
  const gpusOfRanks = gpus + (gpusPerTask ?? 0) * ranksOfNode;
  const cpusOfNode = Math.max(values.leastCpus ?? 0, (values.cpusPerGpu ?? 0) * gpusOfRanks);
  const cpusPerTask = Math.max(layout.cpusPerTask, Math.ceil(cpusOfNode / ranksOfNode));
  const memoryOfRank = memory?.per === 'cpu' ? cpusPerTask : memory?.per === 'gpu' ? (gpusPerTask ?? 0) : 0;
  const memoryOfNode = memory?.per === 'node' ? 1 : memory?.per === 'gpu' ? gpus : 0;
  const gang = given({
    nodes,
    tasks,
    tasksPerNode,
    cpusPerTask,
    gpusPerTask,
    memoryBytesPerTask: memory === undefined || memoryOfRank === 0 ? undefined : memory.bytes * memoryOfRank,
  });
  return { cpus: cpusOfGang(gang), gpus, memoryBytes: memory && memory.bytes * memoryOfNode, gang };
}

/** Of all that a node gets, what is not asked for with each task. */
function gpusOfNode(values: SbatchValues, nodes: number): number {
  if (values.gpusPerNode !== undefined) return values.gpusPerNode.gpus;
  if (values.gpus !== undefined) return Math.ceil(values.gpus.gpus / nodes);
  return values.gpusPerTask === undefined ? (values.gres?.gpus ?? 0) : 0;
}

/** Without a time limit there is nothing that it could come before. Without `B:` it is for what srun starts in the job, and for nothing else. */
function signalOf({ signal, timeLimitMs = 0 }: SbatchValues): SpecPart['signal'] {
  if (signal === undefined || timeLimitMs === 0) return undefined;
  const to = signal.toShell ? { mainOnly: true } : { steps: true };
  return { number: signal.number, beforeMs: Math.min(signal.beforeMs, timeLimitMs - 1), ...to };
}

function recordOf(values: SbatchValues, notes: readonly string[], facts: SubmitFacts): Recorded {
  const { nodes, memory } = values;
  return {
    ...facts,
    name: values.name,
    comment: values.comment,
    account: values.account,
    partition: values.partition,
    qos: values.qos,
    wckey: values.wckey,
    reservation: values.reservation,
    constraint: values.constraint,
    licenses: values.licenses,
    nodelist: values.nodelist,
    excludeNodes: values.excludeNodes,
    mailType: values.mailTypes?.length === 0 ? ['NONE'] : values.mailTypes && [...values.mailTypes],
    mailUser: values.mailUser,
    nice: values.nice,
    requeue: values.requeue,
    nodes: nodes === undefined || nodes.min === 0 ? undefined : nodes,
    ntasks: values.tasks,
    ntasksPerNode: values.tasksPerNode,
    cpusPerTask: values.cpusPerTask,
    exclusive: values.exclusive,
    gres: values.gresText === '' ? undefined : values.gresText,
    memPer: memory?.per,
    memPerBytes: memory?.per === 'node' ? undefined : memory?.bytes,
    notes: notes.length === 0 ? undefined : [...notes],
  };
}
