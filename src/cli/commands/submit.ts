import type { JobView, SubmitReply } from '../../api/job.ts';
import type { JobSpecInput } from '../../api/job-spec.ts';
import { MAX_DURATION_MS, MAX_RETRIES } from '../../api/limits.ts';
import { envSnapshot } from '../../config/env-snapshot.ts';
import { parseDependency } from '../../core/dependency.ts';
import { isSpawnError, SpawnError } from '../../core/errors.ts';
import { checkName } from '../../core/ids.ts';
import { MAX_INDEX, parseIndexSet } from '../../core/index-set.ts';
import type { Client } from '../client.ts';
import { defineCommand, type Input, type OptionTable } from '../command.ts';
import { at, bytes, durationUpTo, named, nonEmpty, positiveNumber, wholeNumber } from '../option-values.ts';
import { counted } from '../output/format.ts';
import { jobJson, jsonText } from '../output/json.ts';
import { jsonOption } from '../output-option.ts';
import { envVariable, readDirectory, readRun, type Work } from '../submit-input.ts';
import { untilInterrupted, waitForJob } from '../wait-for-job.ts';
import type { World } from '../world.ts';

const options = {
  array: {
    value: 'SET',
    summary: 'One task for each index: 100 (0 to 99), 0-99:2, 1,3,7-9; with %N at most N at once',
    // How many tasks an array may have is for the coordinator to say: it can be configured.
    parse: (text, where) => at(where, () => parseIndexSet(text, { maxSize: MAX_INDEX + 1 })),
  },
  name: {
    value: 'NAME',
    summary: 'Name of the job (default: of the script or program)',
    parse: (text, where) => at(where, () => checkName(text)),
  },
  cpus: { value: 'N', summary: 'CPUs of each task (default 1)', parse: positiveNumber(4_096) },
  memory: { value: 'BYTES', summary: 'Memory of each task, as 512M or 4G', parse: bytes },
  'time-limit': {
    value: 'DURATION',
    summary: 'End an attempt after this long, as 90s or 1h30m',
    parse: durationUpTo(MAX_DURATION_MS),
  },
  retries: {
    value: 'N',
    summary: 'Try a failed task again up to N times (default 0)',
    parse: wholeNumber(0, MAX_RETRIES),
  },
  'retry-delay': {
    value: 'DURATION',
    summary: 'Wait this long before each retry',
    parse: durationUpTo(MAX_DURATION_MS),
  },
  'max-failures': {
    value: 'N',
    summary: 'Cancel the rest when more than N tasks failed',
    parse: wholeNumber(0, 1_000_000_000),
  },
  after: {
    value: 'LIST',
    summary: 'Wait for other jobs: afterok:12, aftercorr:12, singleton; "," is and, "?" is or',
    parse: dependency,
  },
  hold: { summary: 'Start nothing until spawn release' },
  priority: { value: 'N', summary: 'Higher runs first (default 0)', parse: wholeNumber(-1_000_000, 1_000_000) },
  env: {
    value: 'K=V',
    many: true,
    summary: 'Set a variable for the tasks; K alone keeps the present value',
    parse: envVariable,
  },
  cwd: { value: 'DIR', summary: 'Directory to run in (default: the present one)', parse: nonEmpty('a directory') },
  command: {
    value: 'TEXT',
    summary: 'A line for the shell (sh -c) instead of a script',
    parse: nonEmpty('a command line'),
  },
  'idempotency-key': {
    value: 'KEY',
    summary: 'Submit once only, however often this is repeated',
    parse: idempotencyKey,
  },
  wait: { summary: 'Wait for the end; exit with the highest exit code of the tasks' },
  follow: { summary: 'Wait and show the output of the tasks' },
  quiet: { summary: 'Print the job number only', short: 'q' },
  'dry-run': { summary: 'Check everything, submit nothing' },
  format: jsonOption,
} as const satisfies OptionTable;

type SubmitInput = Input<typeof options>;

export const submit = defineCommand({
  usage: [
    'submit [options] SCRIPT [ARG…]',
    'submit [options] -- PROGRAM [ARG…]',
    'submit [options] --command TEXT',
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
      line: 'spawn submit --cpus 4 --memory 8G --time-limit 2h -- python train.py',
      says: 'a program with its arguments',
    },
    { line: 'spawn submit --after afterok:12 collect.sh', says: 'when all of job 12 has succeeded' },
  ],
  run: runSubmit,
});

async function runSubmit(input: SubmitInput, world: World): Promise<number> {
  const { options: given } = input;
  checkTogether(given);
  const work = await readRun(input.operands, input.rest, given.command, world);
  const cwd = readDirectory(given.cwd, world);
  const env = Object.fromEntries(given.env.map((read) => read(world.env)));
  const client = await world.connect();
  const spec = await upload(client, work, { ...specOf(given), cwd, env, umask: world.umask }, world);
  const idempotencyKey = given['idempotency-key'];
  const key = idempotencyKey === undefined ? {} : { idempotencyKey };
  const reply = await client.submit({ spec, ...key, dryRun: given['dry-run'] }).catch((error: unknown) => {
    throw withOption(error);
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

function checkTogether(given: SubmitInput['options']): void {
  const no = (a: string, b: string): never => {
    throw new SpawnError('USAGE', { message: `submit: expected ${a} or ${b}, found both` });
  };
  if (given['dry-run'] && (given.wait || given.follow)) no('--dry-run', given.wait ? '--wait' : '--follow');
  if (given.quiet && given.format) no('--quiet', '-o json');
  if (given.follow && given.format) no('--follow', '-o json');
  if (given.follow && given.quiet) no('--follow', '--quiet');
  if (given['retry-delay'] !== undefined && !given.retries) {
    throw new SpawnError('USAGE', { message: 'submit: --retry-delay: expected --retries with it, found none' });
  }
}

/** What only the coordinator can find wrong, with the option that said it. */
function withOption(error: unknown): unknown {
  if (!isSpawnError(error)) return error;
  if (error.code === 'ARRAY_TOO_LARGE') return named('--array', error);
  if (error.code.startsWith('DEPENDENCY_')) return named('--after', error);
  return error;
}

/** Reads it here to say at once what is wrong; the coordinator gets the text. */
function dependency(text: string, where: string): string {
  at(where, () => parseDependency(text));
  return text;
}

function idempotencyKey(text: string, where: string): string {
  if (text === '' || text.length > 200) {
    throw new SpawnError('BAD_REQUEST', { where, expected: '1 to 200 characters', found: text.length });
  }
  return text;
}

function specOf(given: SubmitInput['options']): Omit<JobSpecInput, 'run' | 'cwd'> {
  const defined = {
    name: given.name,
    array: given.array?.set.toString(),
    throttle: given.array?.throttle,
    cpus: given.cpus,
    memoryBytes: given.memory,
    timeLimitMs: given['time-limit'],
    retries: given.retries,
    retryDelayMs: given['retry-delay'],
    maxFailures: given['max-failures'],
    after: given.after,
    hold: given.hold,
    priority: given.priority,
  };
  return Object.fromEntries(Object.entries(defined).filter(([, value]) => value !== undefined));
}

/** Scripts and environments are stored by hash, so that a job of a million tasks carries each once. */
async function upload(
  client: Client,
  work: Work,
  spec: Omit<JobSpecInput, 'run'>,
  world: World,
): Promise<JobSpecInput> {
  const [snapshot, run] = await Promise.all([
    client.putBlob('env', envSnapshot(world.env, world.cwd)),
    work.kind === 'script'
      ? client
          .putBlob('script', work.bytes)
          .then(({ hash }) => ({ kind: 'script' as const, hash, name: work.name, args: work.args }))
      : work,
  ]);
  return { ...spec, run, envSnapshot: snapshot.hash };
}

/** With --follow standard output belongs to the tasks; with --wait -o json it gets the job as it is in the end. */
function announce({ job, replayed, dryRun }: SubmitReply, given: SubmitInput['options'], world: World): void {
  const waits = given.wait || given.follow;
  if (given.format === 'json') {
    if (!waits) world.stdout.write(jsonText({ ...jobJson(job), replayed, dry_run: dryRun }));
    return;
  }
  if (given.quiet) {
    if (!dryRun) world.stdout.write(`${job.id}\n`);
    return;
  }
  (given.follow ? world.stderr : world.stdout).write(`${announcement(job, replayed, dryRun)}\n`);
}

function announcement(job: JobView, replayed: boolean, dryRun: boolean): string {
  const what = `${job.name}, ${counted(job.size, 'task')}`;
  if (dryRun) return `Would submit ${what}`;
  const before = replayed ? ' (before, with this key)' : '';
  return `Submitted job ${job.id}${before}: ${what} (array id ${job.arrayId})`;
}
