import type { SessionView } from '../../api/server-view.ts';
import { type RefusalLine, refuse, refuseLine } from '../../config/slurm/refusal.ts';
import type { Oversize } from '../../config/slurm-oversize.ts';
import type { SpecPart } from '../submit/spec-of.ts';

/** A worker, as far as it limits jobs. */
type Worker = Pick<SessionView, 'resources' | 'connected' | 'draining'>;

export interface Fitted {
  readonly spec: SpecPart;
  /** What was cut. */
  readonly note?: string;
}

const MIB = 1_048_576;
/** As the coordinator takes them. */
const MOST_CPUS = 4_096;
/** Parts of a CPU are counted in these. */
const CPU_PARTS = 1_000;

/**
 * Holds a job against the workers that there are. What no worker has is refused, or with `fit` cut to what the largest has: CPUs and memory, and nodes to
 * their number; devices and named amounts never. While there are no workers nothing is known, and the job waits for some.
 *
 * @throws SpawnError with Slurm's words
 */
export function fitWorkers(spec: SpecPart, sessions: readonly Worker[], oversize: Oversize): Fitted {
  const fitted = heldAgainst(spec, sessions, oversize);
  const { cpus = 1 } = fitted.spec;
  if (cpus > MOST_CPUS) throw tooLarge([], `a job has at most ${MOST_CPUS} CPUs; this one asks for ${cpus}`);
  return fitted;
}

function heldAgainst(spec: SpecPart, sessions: readonly Worker[], oversize: Oversize): Fitted {
  const workers = sessions
    .filter(({ connected, draining }) => connected && !draining)
    .map(({ resources }) => resources);
  if (workers.length === 0 || oversize === 'wait') return { spec };
  const { gang, gpus = 0, resources = {} } = spec;
  for (const name of Object.keys(resources)) {
    if (workers.some(({ named }) => (named?.[name] ?? 0) > 0)) continue;
    throw refuseLine('Invalid generic resource (gres) specification', 1);
  }
  const devices = Math.max(gpus, gang?.gpusPerTask ?? 0);
  const able = workers.filter((worker) => (worker.gpus ?? 0) >= devices);
  const largest = able.sort((one, other) => other.cpus - one.cpus || other.memoryBytes - one.memoryBytes)[0];
  if (largest === undefined) {
    if (spec.hold) return { spec };
    const most = Math.max(...workers.map((worker) => worker.gpus ?? 0));
    throw tooLarge([], `it asks for ${devices} GPUs on one node; no worker has more than ${most}`);
  }
  if (oversize === 'fit') return gang === undefined ? cut(spec, largest) : cutGang(spec, largest, workers.length);
  // Slurm takes what is held: it may be changed before it is released.
  if (!spec.hold) checkSize(spec, able, largest);
  return { spec };
}

interface Size {
  readonly cpus: number;
  readonly memoryBytes: number;
}

function checkSize({ cpus = 1, memoryBytes = 0, gang }: SpecPart, able: readonly Size[], largest: Size): void {
  const { nodes, tasks = 1, tasksPerNode = 1, cpusPerTask = cpus } = gang ?? {};
  const asked = tasksPerNode * cpusPerTask;
  const least = Math.max(asked, nodes === undefined ? 0 : Math.ceil(tasks / nodes.max) * cpusPerTask);
  const bytes = Math.max(memoryBytes, gang?.memoryBytesPerTask ?? 0);
  if (able.some((worker) => worker.cpus >= least && worker.memoryBytes >= bytes)) return;
  const lines = [
    ...(asked > largest.cpus ? ['CPU count per node can not be satisfied'] : []),
    ...(able.every((worker) => bytes > worker.memoryBytes) ? ['Memory specification can not be satisfied'] : []),
  ];
  throw tooLarge(
    lines,
    `it asks for ${sizeText({ cpus: least, memoryBytes: bytes })} on one node; the largest worker has ${sizeText(largest)}` +
      '; with `spawn config set slurm_oversize fit` such jobs get what it has',
  );
}

function tooLarge(texts: readonly string[], why: string) {
  const lines: RefusalLine[] = texts.map((text) => ({ form: 'error', text }));
  lines.push({ form: 'submit', text: 'Requested node configuration is not available' }, { form: 'command', text: why });
  return refuse(lines, 1);
}

function sizeText({ cpus, memoryBytes }: Size): string {
  const memory = memoryBytes === 0 ? '' : ` and ${Math.floor(memoryBytes / MIB)}M of memory`;
  return `${cpus} ${cpus === 1 ? 'CPU' : 'CPUs'}${memory}`;
}

function cut(spec: SpecPart, largest: Size): Fitted {
  const cpus = Math.min(spec.cpus ?? 1, largest.cpus);
  const memoryBytes = Math.min(spec.memoryBytes ?? 0, wholeMib(largest.memoryBytes));
  if (cpus === (spec.cpus ?? 1) && memoryBytes === (spec.memoryBytes ?? 0)) return { spec };
  return noted({ ...spec, cpus, memoryBytes }, { cpus: spec.cpus ?? 1, memoryBytes: spec.memoryBytes ?? 0 }, '');
}

/** Ranks stay as many as they are: programs count on them. */
function cutGang(spec: SpecPart, largest: Size, workers: number): Fitted {
  const gang = spec.gang!;
  const { nodes, tasksPerNode = 1, memoryBytesPerTask = 0 } = gang;
  const tasks = gang.tasks ?? (nodes?.min ?? 1) * tasksPerNode;
  const count = Math.min(nodes?.min ?? workers, workers, tasks);
  const ranks = Math.ceil(tasks / count);
  const perTask = gang.cpusPerTask ?? 1;
  const room = Math.floor((largest.cpus / ranks) * CPU_PARTS) / CPU_PARTS;
  const cpusPerTask = perTask * ranks <= largest.cpus ? perTask : room >= 1 ? Math.floor(room) : room;
  const bytesOfRank = Math.min(memoryBytesPerTask, wholeMib(largest.memoryBytes / ranks));
  const memoryBytes = Math.min(spec.memoryBytes ?? 0, wholeMib(largest.memoryBytes) - bytesOfRank * ranks);
  const isSame = nodes === undefined || nodes.min <= workers;
  const bytes = spec.memoryBytes ?? 0;
  if (isSame && cpusPerTask === perTask && bytesOfRank === memoryBytesPerTask && memoryBytes === bytes) return { spec };
  const { tasksPerNode: _, ...rest } = gang;
  const fitted = {
    ...rest,
    tasks,
    cpusPerTask,
    ...(isSame ? (gang.tasksPerNode === undefined ? {} : { tasksPerNode }) : {}),
    ...(memoryBytesPerTask > 0 ? { memoryBytesPerTask: bytesOfRank } : {}),
    ...(nodes === undefined ? {} : { nodes: { min: count, max: Math.max(count, Math.min(nodes.max, workers)) } }),
  };
  const asked = { cpus: perTask * tasks, memoryBytes: bytes + memoryBytesPerTask * ranks };
  return noted(
    { ...spec, cpus: cpusPerTask * tasks, memoryBytes, gang: fitted },
    asked,
    isSame ? '' : ` on ${count} nodes`,
  );
}

/** Says in the job what it was cut to; its CPUs of a task as it gets them. */
function noted(spec: SpecPart, asked: Size, where: string): Fitted {
  const got = { cpus: spec.cpus!, memoryBytes: spec.memoryBytes! };
  const note = `asked for ${sizeText(asked)}, cut to ${sizeText(got)}${where}: no worker has more (slurm_oversize is fit)`;
  const { slurm = {} } = spec;
  const perTask = Math.max(1, Math.floor(spec.gang?.cpusPerTask ?? spec.cpus!));
  const cpusPerTask = slurm.cpusPerTask === undefined ? {} : { cpusPerTask: Math.min(slurm.cpusPerTask, perTask) };
  return { spec: { ...spec, slurm: { ...slurm, ...cpusPerTask, notes: [...(slurm.notes ?? []), note] } }, note };
}

function wholeMib(bytes: number): number {
  return Math.floor(bytes / MIB) * MIB;
}
