import type { JobView, SubmitReply } from '../../api/job.ts';
import type { JobSpecInput, RunSpec } from '../../api/job-spec.ts';
import { envSnapshot } from '../../config/env-snapshot.ts';
import type { ParamSet } from '../../config/job-file/parameter-sets.ts';
import { isSpawnError, SpawnError } from '../../core/errors.ts';
import { numberAfter } from '../after-names.ts';
import type { Client } from '../client.ts';
import { named } from '../option-values.ts';
import { counted } from '../output/format.ts';
import { jobJson, jsonText } from '../output/json.ts';
import { seeHelp } from '../parse-command-line.ts';
import { readDirectory, readRun, type Work } from '../submit-input.ts';
import { untilInterrupted, waitForJob } from '../wait-for-job.ts';
import type { World } from '../world.ts';
import { checkFunction } from './function-option.ts';
import type { Given, SubmitInput } from './options.ts';
import { OPTION_OF, type SpecPart, specOf } from './spec-of.ts';
import { variablesOf } from './variables.ts';

/** A job as a file says it. */
export interface JobFromFile {
  /** As errors call it. */
  readonly path: string;
  /** Absent: the command line must say what runs. */
  readonly work: Work | RunSpec | undefined;
  readonly spec: SpecPart;
  /** Whether the directory is sent along. */
  readonly sendsDirectory?: boolean;
  /** Parameters of each task. */
  readonly parameterSets?: Iterable<ParamSet> | undefined;
}

/** Submits one job, of options or of a file that they override. @param foreground the job ends with the command */
export async function submitJob(
  input: SubmitInput,
  file: JobFromFile | undefined,
  world: World,
  foreground = false,
): Promise<number> {
  const { options: given } = input;
  checkTogether(given);
  const work = await workOf(input, file, world);
  const cwd = directoryOf(given, file, world);
  const base = file?.spec ?? {};
  const env = { ...base.env, ...variablesOf(given, world) };
  const part = { umask: world.umask, ...specOf(given, base), cwd, env, user: world.userName() };
  const client = await world.connect();
  const after = part.after === undefined ? {} : { after: await numberAfter(client, part.after) };
  const sendsDirectory = given.stage || (file?.sendsDirectory ?? false);
  const { parameterSets } = file ?? {};
  const spec = await completeSpec(client, work, { ...part, ...after }, { sendsDirectory, parameterSets }, world);
  const idempotencyKey = given['idempotency-key'];
  const key = idempotencyKey === undefined ? {} : { idempotencyKey };
  const reply = await client.submit({ spec, ...key, dryRun: given['dry-run'] }).catch((error: unknown) => {
    throw withOption(error, given);
  });
  const waits = given.wait || given.follow || foreground;
  announce(reply, given, world, foreground);
  if (!waits || reply.dryRun) return 0;
  const { job } = reply;
  const goesOn = `spawn: job ${job.id} goes on; spawn wait ${job.id} waits again, spawn cancel ${job.id} ends it`;
  let isStopped = false;
  const code = await untilInterrupted(world, foreground ? undefined : goesOn, async (signal) => {
    signal.addEventListener('abort', () => {
      isStopped = true;
    });
    const ended = await waitForJob(world, job, { quiet: given.quiet, follow: given.follow, progress: true, signal });
    if (ended !== undefined && given.format === 'json') world.stdout.write(jsonText(jobJson(ended)));
    return ended?.exitCode;
  });
  if (isStopped && foreground) {
    await client.cancel(String(job.id), {});
    world.stderr.write(`spawn: job ${job.id} was cancelled\n`);
  }
  return code;
}

/** The command line says what runs, else the spec file. */
async function workOf(input: SubmitInput, file: JobFromFile | undefined, world: World): Promise<Work | RunSpec> {
  const { operands, rest, options: given } = input;
  if (given.handler !== undefined) {
    const other = given.command === undefined ? (operands[0] ?? (rest === undefined ? undefined : '--')) : '--command';
    if (other === undefined) return checkFunction(given.handler, directoryOf(given, file, world));
    throw new SpawnError('USAGE', { message: `submit: expected --handler alone, found ${other} too` });
  }
  if (file === undefined) return readRun(operands, rest, given.command, world);
  const says = operands.length > 0 || rest !== undefined || given.command !== undefined;
  if (operands[0] === '-' && given.spec === '-') {
    throw new SpawnError('USAGE', { message: 'submit: expected a spec or a script on standard input, found both' });
  }
  if (says) return readRun(operands, rest, given.command, world);
  if (file.work !== undefined) return file.work;
  throw new SpawnError('USAGE', {
    message: `${file.path}: spec.run: expected what to run, there or on the command line, found nothing${seeHelp('submit')}`,
  });
}

function directoryOf(given: Given, file: JobFromFile | undefined, world: World): string {
  if (given.cwd !== undefined) return readDirectory(given.cwd, '--cwd', world);
  if (file?.spec.cwd !== undefined) return readDirectory(file.spec.cwd, `${file.path}: spec.cwd`, world);
  return readDirectory('.', 'working directory', world);
}

function checkTogether(given: Given): void {
  const no = (a: string, b: string): never => {
    throw new SpawnError('USAGE', { message: `submit: expected ${a} or ${b}, found both` });
  };
  if (given['dry-run'] && (given.wait || given.follow)) no('--dry-run', given.wait ? '--wait' : '--follow');
  if (given.quiet && given.format) no('--quiet', '-o json');
  if (given.follow && given.format) no('--follow', '-o json');
  if (given.follow && given.quiet) no('--follow', '--quiet');
  for (const name of ['output', 'error'] as const) {
    const path = given[name];
    if (!given.stage || path === undefined || path.startsWith('/')) continue;
    const expected = 'an absolute path with --stage (the copy, in which the tasks run, goes with the job)';
    throw new SpawnError('BAD_REQUEST', { where: `--${name}`, expected, found: path });
  }
}

/** What only the coordinator can find wrong, with the option that said it. */
function withOption(error: unknown, given: Given): unknown {
  if (!isSpawnError(error)) return error;
  if (error.code === 'ARRAY_TOO_LARGE') return named('--array', error);
  if (error.code.startsWith('DEPENDENCY_')) return named('--after', error);
  const [, field] = /^spec\.(\w+)/.exec(String(error.details.where)) ?? [];
  const option = field === undefined ? undefined : OPTION_OF[field];
  return option === undefined || given[option] === undefined ? error : named(`--${option}`, error);
}

async function storeTable(sets: Iterable<ParamSet>, client: Client): Promise<string> {
  const { storeParams } = await import('./store-params.ts');
  return (await storeParams(sets, client)).hash;
}

async function stageDirectory(directory: string, client: Client): Promise<string> {
  // Loaded here only: most submits need none of it.
  const { storeDirectory } = await import('./store-directory.ts');
  return storeDirectory(directory, client);
}

/**
 * A spec with all that is stored beside it: scripts, environments, directories and tables of parameters go by hash, so that a job of a million tasks
 * carries each once.
 */
export async function completeSpec(
  client: Client,
  work: Work | RunSpec,
  spec: Omit<JobSpecInput, 'run'>,
  { sendsDirectory, parameterSets }: Pick<JobFromFile, 'sendsDirectory' | 'parameterSets'>,
  world: World,
): Promise<JobSpecInput> {
  const stage = sendsDirectory ? { stage: await stageDirectory(spec.cwd, client) } : {};
  const table = parameterSets === undefined ? {} : { paramTable: await storeTable(parameterSets, client) };
  const [snapshot, run] = await Promise.all([
    spec.envSnapshot === undefined ? client.putBlob('env', envSnapshot(world.env, world.cwd)) : undefined,
    'bytes' in work
      ? client
          .putBlob('script', work.bytes)
          .then(({ hash }) => ({ kind: 'script' as const, hash, name: work.name, args: work.args }))
      : work,
  ]);
  return { ...spec, ...stage, ...table, run, ...(snapshot === undefined ? {} : { envSnapshot: snapshot.hash }) };
}

/** As the coordinator words it when what a task needs is more than any worker has. */
const FITS_NOWHERE = /(?:^|; )no connected worker (?:has|can)\b/;

/** With --follow standard output belongs to the tasks; with --wait -o json it gets the job as it is in the end. */
function announce({ job, replayed, dryRun }: SubmitReply, given: Given, world: World, foreground: boolean): void {
  const waits = given.wait || given.follow || foreground;
  if (given.format === 'json') {
    if (!waits) world.stdout.write(jsonText({ ...jobJson(job), replayed, dry_run: dryRun }));
  } else if (given.quiet) {
    if (!dryRun) world.stdout.write(`${job.id}\n`);
  } else {
    (given.follow ? world.stderr : world.stdout).write(`${announcement(job, replayed, dryRun)}\n`);
  }
  if (job.reason !== undefined && FITS_NOWHERE.test(job.reason)) {
    world.stderr.write(`spawn: note: ${dryRun ? 'it would wait' : `job ${job.id} waits`}: ${job.reason}\n`);
  }
}

function announcement(job: JobView, replayed: boolean, dryRun: boolean): string {
  // How many it has is found out by another job.
  const planned = job.plan?.job !== undefined && job.plan.parts === undefined;
  const size = planned ? `planned by job ${job.plan!.job}` : counted(job.size, 'task');
  const what = `${job.name}, ${dryRun && planned ? 'planned first' : size}`;
  if (dryRun) return `Would submit ${what}`;
  const before = replayed ? ' (before, with this key)' : '';
  return `Submitted job ${job.id}${before}: ${what} (array id ${job.arrayId})`;
}
