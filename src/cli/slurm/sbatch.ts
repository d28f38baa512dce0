import { resolve } from 'node:path';
import type { JobSpecInput } from '../../api/job-spec.ts';
import { MAX_ARGV_BYTES, MAX_ARRAY_SIZE } from '../../api/limits.ts';
import { CLUSTER } from '../../api/slurm-names.ts';
import { notSubmitted, refusalOf, refusalText } from '../../config/slurm/refusal.ts';
import { SBATCH_OPTIONS } from '../../config/slurm/sbatch-options.ts';
import { readSbatchRequest, type SbatchRequest } from '../../config/slurm/sbatch-request.ts';
import { readDirectives } from '../../config/slurm/sbatch-script.ts';
import {
  type GivenOption,
  givenOptions,
  lastOf,
  readScriptOptions,
  readVariables,
} from '../../config/slurm/sbatch-words.ts';
import { visible } from '../../core/error-text.ts';
import type { Client } from '../client.ts';
import { localZone } from '../local-zone.ts';
import type { World } from '../world.ts';
import { type BatchEnvironment, batchEnvironment } from './batch-environment.ts';
import { type BatchScript, readBatchScript } from './batch-script.ts';
import { defineDialect } from './dialect.ts';
import { sayNotes } from './notes.ts';
import { sbatchSpec } from './sbatch-spec.ts';
import { submittedText } from './submit-answers.ts';
import { submitterFacts } from './submitter.ts';

export const sbatch = defineDialect({
  command: 'sbatch',
  usage: ['[options] SCRIPT [ARG…]', '[options] --wrap=COMMAND', '[options] < SCRIPT'],
  about:
    'Submits a script with its #SBATCH lines as a job. The script is copied now. Options of the line count more than SBATCH_*\n' +
    'variables, these more than the script. Prints the number of the job.',
  options: SBATCH_OPTIONS,
  async run({ given, operands }, world) {
    const line = givenOptions(given, 'line');
    const script = await readBatchScript(operands, lastOf(line, 'wrap')?.value, world);
    const options = [...directivesOf(script), ...readVariables(world.env), ...line];
    if (lastOf(options, 'test-only') === undefined) return submitBatch(script, options, world);
    try {
      return await submitBatch(script, options, world);
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === undefined) throw error;
      world.stderr.write(refusalText('sbatch', refusal, true));
      return refusal.exit;
    }
  },
});

/** The text of `--wrap` is a command and holds none. */
function directivesOf({ bytes, shown, isWrapped }: BatchScript): readonly GivenOption[] {
  return isWrapped ? [] : readScriptOptions(readDirectives(bytes, shown));
}

async function submitBatch(script: BatchScript, options: readonly GivenOption[], world: World): Promise<number> {
  const request = readSbatchRequest(options, {
    clock: { now: world.now(), zone: localZone },
    env: world.env,
    maxArraySize: await maxArraySize(options, world),
    cluster: CLUSTER,
    isAdmin: process.getuid?.() === 0,
  });
  const { values, notes } = request;
  const environment = batchEnvironment(values, world);
  const spec = specOf(request, script, environment, world);
  const client = await world.connect();
  if (values.verbose && !values.quiet) (await import('./verbose.ts')).showOptions(options, world.stderr);
  const sent = await upload(client, script, environment, spec);
  if (values.testOnly) {
    const { estimateStart } = await import('./estimate-start.ts');
    return estimateStart(client, { spec: sent, quiet: values.quiet === true }, world);
  }
  const { job } = await client.submit({ spec: sent });
  sayNotes(notes, 'sbatch', world.stderr, values.verbose === true);
  const cluster = values.namesCluster ? CLUSTER : undefined;
  world.stdout.write(submittedText(job.id, { parsable: values.parsable, quiet: values.quiet, cluster }));
  return values.wait ? (await import('./batch-wait.ts')).waitForBatch(world, job.id) : 0;
}

/** Indices are below it, as Slurm counts; only the coordinator knows, and only of arrays it is asked. */
async function maxArraySize(options: readonly GivenOption[], world: World): Promise<number> {
  if (lastOf(options, 'array') === undefined) return MAX_ARRAY_SIZE + 1;
  const { maxArraySize: most = MAX_ARRAY_SIZE } = await (await world.connect()).server();
  return most + 1;
}

function specOf(
  { values, notes, noted }: SbatchRequest,
  { path, name, args }: BatchScript,
  { env }: BatchEnvironment,
  world: World,
): Omit<JobSpecInput, 'run'> {
  const size = args.reduce((sum, word) => sum + Buffer.byteLength(word) + 1, 0);
  if (size > MAX_ARGV_BYTES) throw notSubmitted('Pathname of a file, directory or other parameter too long');
  const command = path === undefined ? {} : { command: shown([path, ...args].join(' '), MOST_COMMAND) };
  // A name that is given as nothing is one, but nothing could be shown of it.
  const named = { ...values, name: values.name ?? shown(name, MOST_NAME) };
  const { spec } = sbatchSpec({ values: named, notes, noted }, { ...submitterFacts(), ...command });
  const cwd = resolve(world.cwd, values.directory ?? '.');
  return { umask: world.umask, ...spec, cwd, env, user: world.userName() };
}

const MOST_COMMAND = 131_072;
const MOST_NAME = 1_024;

/** One line of text that is shown among others. */
function shown(text: string, most: number): string {
  return visible(text).slice(0, most).toWellFormed();
}

/** Scripts and environments are stored by hash, so that a job of a million tasks carries each once. */
async function upload(
  client: Client,
  { bytes, name, args }: BatchScript,
  { snapshot }: BatchEnvironment,
  spec: Omit<JobSpecInput, 'run'>,
): Promise<JobSpecInput> {
  const [script, environment] = await Promise.all([
    client.putBlob('script', bytes),
    snapshot === undefined ? undefined : client.putBlob('env', snapshot),
  ]);
  const run = { kind: 'script' as const, hash: script.hash, name: shown(name, MOST_FILE_NAME), args: [...args] };
  return { ...spec, run, ...(environment === undefined ? {} : { envSnapshot: environment.hash }) };
}

const MOST_FILE_NAME = 255;
