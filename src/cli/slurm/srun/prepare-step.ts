import { constants as access, accessSync, statSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';
import type { RunFrame } from '../../../client/node/steps/step-wire.ts';
import type { World } from '../../world.ts';
import type { Allocation } from './allocation.ts';
import type { StepPlan } from './plan-step.ts';
import { exportedEnvironment, rankVariables, stepVariables } from './rank-environment.ts';
import type { SrunRequest } from './read-request.ts';
import { StepInput } from './step-input.ts';
import type { StepNames } from './step-pattern.ts';
import { StepStreams, streamMode } from './step-streams.ts';

/** A step of which it is known what runs where. */
export interface StepParts {
  readonly request: SrunRequest;
  readonly allocation: Allocation;
  readonly plan: StepPlan;
  readonly step: number;
  readonly world: World;
}

/** What it needs to start. */
export interface PreparedStep {
  readonly streams: StepStreams;
  readonly input: StepInput;
  /** Of each of its nodes. */
  readonly frames: readonly RunFrame[];
}

/** @param onDrain there is room for more output */
export function prepareStep(parts: StepParts, onDrain: () => void): PreparedStep {
  const { plan } = parts;
  const cwd = directoryOf(parts);
  const namesOf = (rank: number) => namesOfRank(parts, rank);
  const input = new StepInput({
    mode: streamMode(parts.request.input ?? '', plan.tasks),
    cwd,
    tasks: plan.tasks,
    local: plan.nodes.every(({ place }) => place === 0),
    namesOf,
  });
  const streams = streamsOf(parts, cwd, namesOf, onDrain);
  return { streams, input, frames: plan.nodes.map((_, at) => frameOf(parts, at, input, cwd)) };
}

/** One that is not there is no error in Slurm. */
function directoryOf({ request, world }: StepParts): string {
  const cwd = resolve(world.cwd, request.shared.values.directory ?? '.');
  try {
    accessSync(cwd, access.X_OK);
    if (statSync(cwd).isDirectory()) return cwd;
  } catch {
    // As below.
  }
  const why = `couldn't chdir to \`${cwd}': No such file or directory: going to /tmp instead`;
  world.stderr.write(`slurmstepd: error: ${why}\n`);
  return '/tmp';
}

function streamsOf(
  { request, plan }: StepParts,
  cwd: string,
  namesOf: (rank: number) => StepNames,
  onDrain: () => void,
): StepStreams {
  const output = streamMode(request.output ?? '', plan.tasks);
  const { stdout, stderr } = process;
  return new StepStreams(
    {
      output,
      error: request.error === undefined ? output : streamMode(request.error, plan.tasks),
      append: request.append,
      cwd,
      label: request.label,
      namesOf,
      stdout,
      stderr,
      width: String(plan.tasks - 1).length,
      onDrain,
    },
    (fd, bytes) => {
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    },
  );
}

function frameOf(
  { request, plan, step, allocation, world }: StepParts,
  at: number,
  input: StepInput,
  cwd: string,
): RunFrame {
  const { ranks, place } = plan.nodes[at]!;
  const { exported, cpusPerTask } = request.shared.values;
  const { umask } = world;
  const allocated = allocation.nodes.length;
  const facts = { plan, step, allocated, cpusPerTask, umask, distribution: request.distribution };
  const { cpus } = allocation.nodes[place]!;
  return {
    step,
    argv: request.argv,
    env: { ...exportedEnvironment(world.ownEnv, exported), ...stepVariables(facts) },
    cwd,
    umask,
    input: input.readers,
    ranks: ranks.map((rank, local) => ({ rank, env: rankVariables(plan, at, local, cpus) })),
  };
}

function namesOfRank({ allocation, step, plan, world }: StepParts, rank: number): StepNames {
  const { env } = world;
  const node = Math.max(
    0,
    plan.nodes.findIndex(({ ranks }) => ranks.includes(rank)),
  );
  const { job } = allocation;
  return {
    arrayJob: Number(env.SLURM_ARRAY_JOB_ID ?? job),
    arrayTask: Number(env.SLURM_ARRAY_TASK_ID ?? NO_TASK),
    job,
    step,
    rank,
    node,
    host: plan.nodes[node]!.name,
    user: env.SLURM_JOB_USER ?? world.userName(),
    name: env.SLURM_JOB_NAME ?? '',
  };
}

/** `%a` outside of an array, as Slurm shows it. */
const NO_TASK = 4_294_967_294;
