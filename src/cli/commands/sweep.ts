import { resolve } from 'node:path';
import type { FileOption } from '../../config/param-file.ts';
import { SpawnError } from '../../core/errors.ts';
import { defineCommand, type Input, type Option } from '../command.ts';
import { nonEmpty, wholeNumber } from '../option-values.ts';
import { seeHelp } from '../parse-command-line.ts';
import { type Given, options as ofSubmit } from '../submit/options.ts';
import { storeParams } from '../submit/store-params.ts';
import { type JobFromFile, submitJob } from '../submit/submit-job.ts';
import type { World } from '../world.ts';

const { array: _array, spec: _spec, param: _param, ...ofJob } = ofSubmit;

const options = {
  'param-file': {
    value: 'FILE',
    summary: 'Sets of parameters, one for each task: YAML or JSON with grid and params, or CSV',
    parse: nonEmpty('a file'),
  },
  'max-concurrent': {
    value: 'N',
    summary: 'At most N tasks at once (default: as many as fit)',
    parse: wholeNumber(1, 1_000_000_000),
  },
  ...ofJob,
} as const;

export const sweep = defineCommand({
  usage: [
    'sweep --param-file FILE [options] SCRIPT [ARG…]',
    'sweep --param-file FILE [options] -- PROGRAM [ARG…]',
    'sweep --param-file FILE [options] --command TEXT',
  ],
  about:
    'Submits a job with a task for each set of parameters in a file. A task finds its set in its environment, as PARAM_name.\n' +
    'The tasks run on workers; spawn launch --param-file gives each set an instance of its own.',
  options,
  operands: { name: 'SCRIPT', min: 0, max: Number.POSITIVE_INFINITY },
  stopsAtOperand: true,
  takesRest: true,
  examples: [
    {
      line: "spawn sweep --param-file sweep.yaml --command './train.sh $PARAM_lr $PARAM_seed'",
      says: 'a task for each combination',
    },
    { line: 'spawn sweep --param-file runs.csv --max-concurrent 8 train.sh', says: 'a task for each line, 8 at once' },
  ],
  run: runSweep,
});

type SweepInput = Input<typeof options>;

async function runSweep(input: SweepInput, world: World): Promise<number> {
  const { 'param-file': path, 'max-concurrent': throttle, ...given } = input.options;
  if (path === undefined)
    throw new SpawnError('USAGE', { message: `sweep: expected --param-file, found none${seeHelp('sweep')}` });
  // Loaded here only: YAML is slow to load.
  const { openSweepFile } = await import('../../config/param-file.ts');
  const { options: said, notes, sets } = await openSweepFile(path, resolve(world.cwd, path));
  const fromFile = optionsOf(said);
  for (const note of notes) world.stderr.write(`spawn: note: ${note}\n`);
  const client = await world.connect();
  const { hash, rows } = await storeParams(sets, client);
  if (rows === 0)
    throw new SpawnError('USAGE', { message: `${path}: expected at least one set of parameters, found none` });
  const { command, ...defaults } = fromFile;
  const file: JobFromFile = {
    path,
    work: command === undefined ? undefined : { kind: 'shell', text: command },
    spec: { array: `0-${rows - 1}`, paramTable: hash, ...(throttle === undefined ? {} : { throttle }) },
  };
  const all = { array: undefined, spec: undefined, param: [], ...given };
  const values = Object.fromEntries(
    Object.entries(defaults).filter(([name]) => all[name as keyof typeof all] === undefined),
  );
  return await submitJob({ ...input, options: { ...all, ...values } as Given }, file, world);
}

/** Options of a job that a file may say for all of its tasks. */
const IN_FILE = ['name', 'command', 'time-limit', 'retries'] as const;

function optionsOf(said: readonly FileOption[]): Partial<Pick<Given, (typeof IN_FILE)[number]>> {
  return Object.fromEntries(
    said.map(({ option, text, where }) => {
      const name = IN_FILE.find((one) => one === option);
      if (name !== undefined) return [name, (ofJob[name] as Option).parse!(text, where)];
      const message = `${where}: expected one of ${IN_FILE.map((one) => one.replace('-', '_')).join(', ')} or a parameter, found an option of spawn launch; a parameter of that name is written with "param:" before it`;
      throw new SpawnError('USAGE', { message });
    }),
  );
}
