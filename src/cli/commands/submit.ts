import type { JobView, SubmitReply } from '../../api/job.ts';
import type { JobSpecInput, RunSpec } from '../../api/job-spec.ts';
import { envSnapshot } from '../../config/env-snapshot.ts';
import { isSpawnError, SpawnError } from '../../core/errors.ts';
import { numberAfter } from '../after-names.ts';
import type { Client } from '../client.ts';
import { defineCommand } from '../command.ts';
import { named } from '../option-values.ts';
import { counted } from '../output/format.ts';
import { jobJson, jsonText } from '../output/json.ts';
import { seeHelp } from '../parse-command-line.ts';
import { type Given, options, type SubmitInput } from '../submit/options.ts';
import type { SpecFromFile } from '../submit/read-spec.ts';
import { OPTION_OF, specOf } from '../submit/spec-of.ts';
import { variablesOf } from '../submit/variables.ts';
import { readDirectory, readRun, type Work } from '../submit-input.ts';
import { untilInterrupted, waitForJob } from '../wait-for-job.ts';
import type { World } from '../world.ts';

export const submit = defineCommand({
  usage: [
    'submit [options] SCRIPT [ARG…]',
    'submit [options] -- PROGRAM [ARG…]',
    'submit [options] --command TEXT',
    'submit [options] --spec FILE',
    'submit [options] < SCRIPT',
  ],
  about:
    'Submits a job: one task, or one for each index of --array. The script is copied now, and the environment and the\n' +
    'directory of the tasks are those of this moment. Options stand before the script; all after it belongs to it.',
  options,
  operands: { name: 'SCRIPT', min: 0, max: Number.POSITIVE_INFINITY },
  stopsAtOperand: true,
  takesRest: true,
  examples: [
    {
      line: 'spawn submit --array 100%8 run.sh',
      says: '100 tasks, at most 8 at once; each finds its number in $TASK_ARRAY_INDEX',
    },
    { line: "spawn submit --array 1-9 --command 'gzip part-$TASK_ARRAY_INDEX.csv' --wait", says: 'wait for the end' },
    {
      line: 'spawn submit --cpus 4 --memory 8G --gpus 1 --time-limit 2h -- python train.py',
      says: 'a program with its arguments',
    },
    {
      line: 'spawn submit --array 1000 --canary 3 --retries 2 --retry-on 75,oom run.sh',
      says: 'three tasks first; try again what may go better',
    },
    { line: 'spawn submit --after afterok:12 --begin now+1h collect.sh', says: 'when all of job 12 has succeeded' },
    { line: 'spawn export 12 | spawn submit --spec - --array 5', says: 'once more, smaller' },
  ],
  run: runSubmit,
});

async function runSubmit(input: SubmitInput, world: World): Promise<number> {
  const { options: given } = input;
  checkTogether(given);
  const file = given.spec === undefined ? undefined : await readFile(given.spec, world);
  const work = await workOf(input, file, world);
  const cwd = directoryOf(given, file, world);
  const base = file?.spec ?? {};
  const env = { ...base.env, ...variablesOf(given, world) };
  const part = { umask: world.umask, ...specOf(given, base), cwd, env, user: world.userName() };
  const client = await world.connect();
  const stage = given.stage ? { stage: await stageDirectory(cwd, client) } : {};
  const after = part.after === undefined ? {} : { after: await numberAfter(client, part.after) };
  const spec = await upload(client, work, { ...part, ...after, ...stage }, world);
  const idempotencyKey = given['idempotency-key'];
  const key = idempotencyKey === undefined ? {} : { idempotencyKey };
  const reply = await client.submit({ spec, ...key, dryRun: given['dry-run'] }).catch((error: unknown) => {
    throw withOption(error, given);
  });
  const waits = given.wait || given.follow;
  announce(reply, given, world);
  if (!waits) return 0;
  const { job } = reply;
  const advice = `spawn: job ${job.id} goes on; spawn wait ${job.id} waits again, spawn cancel ${job.id} ends it`;
  return untilInterrupted(world, advice, async (signal) => {
    const ended = await waitForJob(world, job, { quiet: given.quiet, follow: given.follow, progress: true, signal });
    if (ended !== undefined && given.format === 'json') world.stdout.write(jsonText(jobJson(ended)));
    return ended?.exitCode;
  });
}

async function readFile(path: string, world: World): Promise<SpecFromFile> {
  const { readSpecFile } = await import('../submit/read-spec.ts');
  return readSpecFile(path, world);
}

/** The command line says what runs, else the spec file. */
async function workOf(input: SubmitInput, file: SpecFromFile | undefined, world: World): Promise<Work | RunSpec> {
  const { operands, rest, options: given } = input;
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

function directoryOf(given: Given, file: SpecFromFile | undefined, world: World): string {
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

async function stageDirectory(directory: string, client: Client): Promise<string> {
  // Loaded here only: most submits need none of it.
  const { storeDirectory } = await import('../submit/store-directory.ts');
  return storeDirectory(directory, client);
}

/** Scripts and environments are stored by hash, so that a job of a million tasks carries each once. */
async function upload(
  client: Client,
  work: Work | RunSpec,
  spec: Omit<JobSpecInput, 'run'>,
  world: World,
): Promise<JobSpecInput> {
  const [snapshot, run] = await Promise.all([
    spec.envSnapshot === undefined ? client.putBlob('env', envSnapshot(world.env, world.cwd)) : undefined,
    'bytes' in work
      ? client
          .putBlob('script', work.bytes)
          .then(({ hash }) => ({ kind: 'script' as const, hash, name: work.name, args: work.args }))
      : work,
  ]);
  return { ...spec, run, ...(snapshot === undefined ? {} : { envSnapshot: snapshot.hash }) };
}

/** As the coordinator words it when what a task needs is more than any worker has. */
const FITS_NOWHERE = /(?:^|; )no connected worker (?:has|can)\b/;

/** With --follow standard output belongs to the tasks; with --wait -o json it gets the job as it is in the end. */
function announce({ job, replayed, dryRun }: SubmitReply, given: Given, world: World): void {
  const waits = given.wait || given.follow;
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
  const what = `${job.name}, ${counted(job.size, 'task')}`;
  if (dryRun) return `Would submit ${what}`;
  const before = replayed ? ' (before, with this key)' : '';
  return `Submitted job ${job.id}${before}: ${what} (array id ${job.arrayId})`;
}
