import { resolve } from 'node:path';
import { MAX_ARGV_BYTES, MAX_ARRAY_SIZE } from '../../api/limits.ts';
import { checkArraySize } from '../../config/slurm/array.ts';
import { notSubmitted, refusalOf, refusalText, refuseLine } from '../../config/slurm/refusal.ts';
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
import type { SpecPart } from '../submit/spec-of.ts';
import type { World } from '../world.ts';
import { batchEnvironment } from './batch-environment.ts';
import { type BatchScript, readBatchScript } from './batch-script.ts';
import { defineDialect } from './dialect.ts';
import type { Fitted } from './fit-workers.ts';
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
    isAdmin: process.getuid?.() === 0,
  });
  const { values, notes } = request;
  if (values.verbose) await showVerbose(values, options, world);
  const environment = batchEnvironment(values, world);
  const client = await world.connect();
  const spec = specOf(request, script, world);
  const [run, envSnapshot, fitted] = await Promise.all([
    storeScript(client, script),
    environment.snapshot && client.putBlob('env', environment.snapshot),
    checkedByServer(spec, values, client, world),
  ]);
  const snapshot = envSnapshot === undefined ? {} : { envSnapshot: envSnapshot.hash };
  const sent = {
    ...fitted.spec,
    run,
    cwd: resolve(world.cwd, values.directory ?? '.'),
    env: environment.env,
    ...snapshot,
  };
  if (values.testOnly) {
    const { estimateStart } = await import('./estimate-start.ts');
    return estimateStart(client, { spec: sent, quiet: values.quiet === true }, world);
  }
  const { job } = await client.submit({ spec: sent });
  const said = fitted.note === undefined ? notes : [...notes, fitted.note];
  sayNotes(said, 'sbatch', world.stderr, values.verbose === true);
  world.stdout.write(submittedText(job.id, values));
  return values.wait ? (await import('./batch-wait.ts')).waitForBatch(world, job.id) : 0;
}

async function showVerbose(values: SbatchRequest['values'], options: readonly GivenOption[], { stderr }: World) {
  if (values.quiet) throw refuseLine("don't specify both --verbose (-v) and --quiet (-Q)", 1);
  (await import('./verbose.ts')).showOptions(options, stderr);
}

/** Asks the coordinator, which alone knows, only where there is something to check. */
async function checkedByServer(
  spec: SpecPart,
  values: SbatchRequest['values'],
  client: Client,
  { env }: World,
): Promise<Fitted> {
  const { cpus = 1, memoryBytes = 0, gpus = 0, gang, resources = {} } = spec;
  const isSized = cpus > 1 || memoryBytes > 0 || gpus > 0 || gang !== undefined || Object.keys(resources).length > 0;
  if (values.array === undefined && !isSized) return { spec };
  const [{ sessions, maxArraySize = MAX_ARRAY_SIZE }, { fitWorkers }, { readSlurmOversize }] = await Promise.all([
    client.server(),
    import('./fit-workers.ts'),
    import('../../config/slurm-oversize.ts'),
  ]);
  if (values.array !== undefined) checkArraySize(values.array, maxArraySize + 1);
  return isSized ? fitWorkers(spec, sessions, readSlurmOversize(env)) : { spec };
}

function specOf({ values, notes, noted }: SbatchRequest, { path, name, args }: BatchScript, world: World): SpecPart {
  const size = args.reduce((sum, word) => sum + Buffer.byteLength(word) + 1, 0);
  if (size > MAX_ARGV_BYTES) throw notSubmitted('Pathname of a file, directory or other parameter too long');
  const command = path === undefined ? {} : { command: shown([path, ...args].join(' '), MOST_COMMAND) };
  const submitDir = values.directory === undefined ? {} : { submitDir: shown(world.cwd, MOST_PATH) };
  // A name that is given as nothing is one, but nothing could be shown of it.
  const named = { ...values, name: values.name ?? shown(name, MOST_NAME) };
  const { spec } = sbatchSpec({ values: named, notes, noted }, { ...submitterFacts(), ...command, ...submitDir });
  return { umask: world.umask, ...spec, user: world.userName() };
}

const MOST_COMMAND = 131_072;
const MOST_NAME = 1_024;
const MOST_PATH = 4_096;

/** One line of text that is shown among others. */
function shown(text: string, most: number): string {
  return visible(text).slice(0, most).toWellFormed();
}

/** Scripts are stored by hash, so that a job of a million tasks carries each once. */
async function storeScript(client: Client, { bytes, name, args }: BatchScript) {
  const { hash } = await client.putBlob('script', bytes);
  return { kind: 'script' as const, hash, name: shown(name, MOST_FILE_NAME), args: [...args] };
}

const MOST_FILE_NAME = 255;
