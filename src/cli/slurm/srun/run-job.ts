import { constants } from 'node:os';
import { basename, resolve } from 'node:path';
import type { JobSpecInput } from '../../../api/job-spec.ts';
import { MAX_ARGV_BYTES } from '../../../api/limits.ts';
import { SRUN_PROGRAM } from '../../../api/slurm-names.ts';
import { notSubmitted, refuseLine } from '../../../config/slurm/refusal.ts';
import { visible } from '../../../core/error-text.ts';
import type { Client } from '../../client.ts';
import type { SpecPart } from '../../submit/spec-of.ts';
import type { World } from '../../world.ts';
import { batchEnvironment } from '../batch-environment.ts';
import type { Fitted } from '../fit-workers.ts';
import { sayNotes } from '../notes.ts';
import { sbatchSpec } from '../sbatch-spec.ts';
import { submitterFacts } from '../submitter.ts';
import { FollowedJob } from './followed-job.ts';
import { listenToSignals } from './interrupts.ts';
import { openJobInput } from './job-input.ts';
import type { SrunGiven, SrunRequest } from './read-request.ts';

const { SIGINT, SIGTERM } = constants.signals;
const MOST_NAME = 1_024;
const MOST_COMMAND = 131_072;
/** The output is the answer: nothing of it is cut out of the middle. */
const LOG_CAP_BYTES = 16 * 1024 ** 3;

/** Runs a program in a job of its own, and follows that to its end; gives the exit code. */
export async function runJob(request: SrunRequest, world: World): Promise<number> {
  const { shared, quiet } = request;
  if (request.pty) refusePty(world);
  const client = await world.connect();
  const input = await openJobInput(request.input ?? '', client, (line) => world.stderr.write(`srun: ${line}\n`));
  try {
    const spec = await specOf(request, input.path, client, world);
    if (shared.values.testOnly) {
      const { estimateStart } = await import('../estimate-start.ts');
      return await estimateStart(client, { spec, quiet, command: 'srun' }, world);
    }
    const { job } = await client.submit({ spec });
    if (!quiet) sayNotes(shared.notes, 'srun', world.stderr, request.verbose);
    const followed = new FollowedJob({ job, quiet, immediateMs: request.immediateMs, world, onStarted: input.started });
    const unlisten = listenToSignals(request.quitOnInterrupt, {
      onFirst: () => followed.interrupted(),
      onSecond: () => followed.stop(SIGINT),
      onEnd: () => followed.stop(SIGTERM),
      onPassed: (signal) => followed.signal(signal),
    });
    try {
      return await followed.run();
    } finally {
      unlisten();
    }
  } finally {
    input.close();
  }
}

/** As Slurm does where there is no terminal. Where there is one, a job has none to offer. */
function refusePty(world: World): void {
  if (world.stdin.isTTY && world.stdout.isTTY) {
    throw refuseLine('--pty: a job has no terminal; `spawn connect` opens one in an instance', 1);
  }
  world.stderr.write('srun: error: ioctl(TIOCGWINSZ): Inappropriate ioctl for device\n');
  world.stderr.write('srun: error: Not using a pseudo-terminal, disregarding --pty option\n');
}

async function specOf(
  { shared, argv, given }: SrunRequest,
  input: string | undefined,
  client: Client,
  world: World,
): Promise<JobSpecInput> {
  const named = { ...shared.values, name: shared.values.name ?? shown(basename(argv[0]!), MOST_NAME) };
  const facts = { ...submitterFacts(), command: shown(argv.join(' '), MOST_COMMAND) };
  const { spec, note } = await fitted(sbatchSpec({ ...shared, values: named }, facts).spec, client, world);
  if (note !== undefined) world.stderr.write(`srun: ${note}\n`);
  const { outputPath: _, errorPath: __, inputPath: ___, ...rest } = spec;
  // What was cut is no longer as the options say.
  const told = given.filter((option) => isOfStep(option) && (note === undefined || !SIZES.has(option.name)));
  const words = [SRUN_PROGRAM, ...told.map(wordOf), '--', ...argv];
  const size = words.reduce((sum, word) => sum + Buffer.byteLength(word) + 1, 0);
  if (size > MAX_ARGV_BYTES) throw notSubmitted('Pathname of a file, directory or other parameter too long');
  const { snapshot, env } = batchEnvironment(shared.values, world);
  const blob = snapshot === undefined ? undefined : await client.putBlob('env', snapshot);
  return {
    umask: world.umask,
    ...rest,
    ...(input === undefined ? {} : { inputPath: input }),
    ...(blob === undefined ? {} : { envSnapshot: blob.hash }),
    env,
    cwd: resolve(world.cwd, shared.values.directory ?? '.'),
    user: world.userName(),
    logCapBytes: LOG_CAP_BYTES,
    run: { kind: 'argv', argv: words },
  };
}

const SIZES = new Set(['cpus-per-task', 'nodes', 'ntasks-per-node']);

/** Held against the workers that there are, where it asks for more than any has by itself. */
async function fitted(spec: SpecPart, client: Client, world: World): Promise<Fitted> {
  const { cpus = 1, memoryBytes = 0, gpus = 0, gang, resources = {} } = spec;
  const isSized = cpus > 1 || memoryBytes > 0 || gpus > 0 || gang !== undefined || Object.keys(resources).length > 0;
  if (!isSized) return { spec };
  const [{ sessions }, { fitWorkers }, { readSlurmOversize }] = await Promise.all([
    client.server(),
    import('../fit-workers.ts'),
    import('../../../config/slurm-oversize.ts'),
  ]);
  return fitWorkers(spec, sessions, readSlurmOversize(world.env));
}

function shown(text: string, most: number): string {
  return visible(text).slice(0, most).toWellFormed() || 'srun';
}

/** Options of which the job knows nothing: the srun in it is told them again. */
const OF_STEP = new Set([
  'cpus-per-task',
  'distribution',
  'error',
  'exclude',
  'input',
  'kill-on-bad-exit',
  'label',
  'nodes',
  'ntasks',
  'ntasks-per-node',
  'open-mode',
  'output',
  'overcommit',
  'quiet',
  'unbuffered',
  'wait',
]);

function isOfStep({ name, source }: SrunGiven): boolean {
  return source === 'line' && OF_STEP.has(name);
}

function wordOf({ name, value }: SrunGiven): string {
  return value === undefined ? `--${name}` : `--${name}=${value}`;
}
