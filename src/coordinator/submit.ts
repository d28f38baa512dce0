import { createHash } from 'node:crypto';
import type { JobSpec, RunSpec } from '../api/job-spec.ts';
import { MAX_ARGV_BYTES } from '../api/limits.ts';
import { type Dependency, parseDependency } from '../core/dependency.ts';
import { SpawnError } from '../core/errors.ts';
import { checkName, type JobId, makeArrayId, nameLike } from '../core/ids.ts';
import { type IndexSet, parseIndexSet } from '../core/index-set.ts';
import { TaskState } from '../core/task-state.ts';
import type { StoredJobFixed } from '../store/store.ts';
import { checkCombinations } from './check-spec.ts';
import { giveSameTasks } from './data/grow.ts';
import { rawRoomOf } from './grow-array.ts';
import type { JobEntry } from './memory.ts';
import { linkJob, makeJob, predecessorIds } from './restore.ts';
import { followTimes, timesOf } from './times.ts';
import type { Caller } from './use-cases.ts';
import type { World } from './world.ts';

/** A request with all that could be wrong with it checked. */
export interface CheckedSubmit {
  spec: JobSpec;
  name: string;
  indices: IndexSet | null;
  dependency: Dependency | null;
}

/** @param keys numbers of jobs that its dependency may name by a key, as parseDependency takes them */
export function checkSubmit(spec: JobSpec, maxArraySize: number, keys?: ReadonlyMap<string, JobId>): CheckedSubmit {
  const parsed =
    spec.array === undefined ? null : parseIndexSet(spec.array, { dialect: 'wire', maxSize: maxArraySize });
  if (parsed?.throttle !== undefined) {
    throw new SpawnError('BAD_REQUEST', {
      where: 'spec.array',
      expected: 'no %N here: the field throttle',
      found: spec.array,
    });
  }
  if (spec.run.kind === 'argv') checkArguments(spec.run.argv, 'spec.run.argv');
  if (spec.run.kind === 'script') checkArguments(spec.run.args, 'spec.run.args');
  for (const key of Object.keys(spec.env)) {
    if (key === '' || key.includes('=')) {
      throw new SpawnError('BAD_REQUEST', {
        where: 'spec.env',
        expected: 'names without "="',
        found: JSON.stringify(key),
      });
    }
  }
  checkCombinations(spec);
  const name = checkName(spec.name ?? defaultName(spec));
  return {
    spec,
    name,
    indices: parsed?.set ?? null,
    dependency: spec.after === undefined ? null : parseDependency(spec.after, keys),
  };
}

function checkArguments(args: readonly string[], where: string): void {
  const bytes = args.reduce((sum, arg) => sum + Buffer.byteLength(arg) + 1, 0);
  if (bytes > MAX_ARGV_BYTES) {
    throw new SpawnError('BAD_REQUEST', {
      where,
      expected: `at most ${MAX_ARGV_BYTES} bytes together`,
      found: `${bytes} bytes`,
    });
  }
}

/** The name given to Slurm's command, the script's file name or the command's first word, made fit for a name. */
function defaultName(spec: JobSpec): string {
  return nameLike(spec.slurm?.name ?? firstWord(spec.run).split('/').at(-1) ?? '');
}

function firstWord(run: RunSpec): string {
  switch (run.kind) {
    case 'script':
      return run.name;
    case 'argv':
      return run.argv[0]!;
    case 'shell':
      return run.text.trim().split(/\s+/)[0] ?? '';
    case 'handler':
      return run.module.replace(/\.[cm]?[jt]s$/, '');
    case 'signal':
      return '';
  }
}

/** What tells a request from another one with the same key. */
export function hashRequest(body: unknown): string {
  return createHash('sha256').update(JSON.stringify(body)).digest('hex');
}

/** The job's unchanging row under given numbers. */
export function makeFixed(
  checked: CheckedSubmit,
  caller: Caller,
  numbers: { id: number; rawIdBase: number; createdAt: number; random6hex: string },
): StoredJobFixed {
  const { spec, name, indices } = checked;
  return {
    id: numbers.id,
    arrayId: makeArrayId(name, numbers.createdAt, numbers.random6hex),
    name,
    owner: caller.owner,
    tenant: caller.tenant,
    spec,
    indices: indices === null ? '' : indices.toString(),
    size: indices?.size ?? 1,
    rawIdBase: numbers.rawIdBase,
    createdAt: numbers.createdAt,
  };
}

/** Makes the job in memory. Its predecessors are there already. */
export function addJob(world: World, checked: CheckedSubmit, caller: Caller, random6hex: string): JobEntry {
  const { memory } = world;
  const { counters } = memory;
  const times = timesOf(checked.spec, world.now);
  const fixed = makeFixed(checked, caller, {
    id: counters.nextJob++,
    rawIdBase: counters.nextRaw,
    createdAt: world.now,
    random6hex,
  });
  counters.nextRaw += rawRoomOf(checked.spec, fixed.size);
  memory.changes.counters = true;
  const job = makeJob(fixed, checked.dependency === null ? TaskState.ready : TaskState.blocked);
  job.held = checked.spec.hold;
  job.throttle = checked.spec.throttle;
  job.priority = checked.spec.priority;
  Object.assign(job, times);
  const entry = { job, fixed };
  memory.addLive(entry);
  followTimes(world, job);
  memory.changes.newJobs.set(job, fixed);
  linkJob(memory, job);
  giveSameTasks(world, entry);
  for (const dependsOn of predecessorIds(job)) memory.changes.dependencies.push({ jobId: job.id, dependsOn });
  memory.changes.event(world.now, job.id, 'jobSubmitted', { name: fixed.name, size: fixed.size, owner: fixed.owner });
  world.changed(job);
  if (job.isConditional) {
    world.settlement.evaluate(job);
    world.settlement.run();
  }
  return world.entryOf(job);
}
