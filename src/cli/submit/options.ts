import { MAX_CANARY, MAX_DURATION_MS, MAX_RETRIES } from '../../api/limits.ts';
import { SpawnError } from '../../core/errors.ts';
import { checkName } from '../../core/ids.ts';
import { MAX_INDEX, parseIndexSet } from '../../core/index-set.ts';
import { readAfter } from '../after-names.ts';
import type { Input, OptionTable } from '../command.ts';
import { parameter } from '../job-file/read-file.ts';
import { at, bytes, durationUpTo, nonEmpty, positiveNumber, wholeNumber } from '../option-values.ts';
import { jsonOption } from '../output-option.ts';
import { envVariable } from '../submit-input.ts';
import { functionOption } from './function-option.ts';
import { outputPattern } from './output-pattern.ts';
import { earlySignal, gpus, MAX_RANKS, nodeRange, resource, retryFilter, share, time } from './values.ts';

export const options = {
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
  gpus: { value: 'N', summary: 'GPUs of each task: 2, or 0.5 to share one', parse: gpus },
  resource: {
    value: 'NAME=AMOUNT',
    many: true,
    summary: 'So much of what workers offer under a name, as licence=1 or scratch=0.5',
    parse: resource,
  },
  tasks: {
    value: 'N',
    summary: 'Make each task a gang of N ranks, each with the CPUs of --cpus; spawn srun starts them',
    parse: wholeNumber(1, MAX_RANKS),
  },
  nodes: {
    value: 'N[-M]',
    summary: 'Spread each task over N workers (at most M) at once; its script runs on the first',
    parse: nodeRange,
  },
  exclusive: { summary: 'Run each task on a worker that has nothing else to do, and give it all of that worker' },
  'time-limit': {
    value: 'DURATION',
    summary: 'End an attempt after this long, as 90s or 1h30m',
    parse: durationUpTo(MAX_DURATION_MS),
  },
  signal: {
    value: '[B:]SIG[@TIME]',
    summary: 'Send a signal this long (60s) before the time limit; B: to the main process only',
    parse: earlySignal,
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
  'retry-backoff': {
    value: 'KIND',
    choices: ['fixed', 'exponential'],
    summary: 'Whether the delay doubles with each retry (default fixed)',
  },
  'retry-jitter': {
    value: 'PART',
    summary: 'Make each delay up to this part shorter or longer, as 0.2 or 20%',
    parse: share,
  },
  'retry-max-delay': {
    value: 'DURATION',
    summary: 'No delay grows beyond this (default 1h)',
    parse: durationUpTo(MAX_DURATION_MS),
  },
  'retry-on': {
    value: 'LIST',
    summary: 'Retry only these ends: 1,100-110,SIGKILL,oom,time-limit',
    parse: retryFilter,
  },
  'no-retry-on': { value: 'LIST', summary: 'Do not retry these ends', parse: retryFilter },
  'crash-limit': {
    value: 'N',
    summary: 'A task that has lost its worker N times fails, whatever --retries says (default 5)',
    parse: wholeNumber(1, 1_000),
  },
  'max-failures': {
    value: 'N',
    summary: 'Cancel the rest when more than N tasks failed',
    parse: wholeNumber(0, 1_000_000_000),
  },
  canary: {
    value: 'N',
    summary: 'Run N tasks chosen by chance first; stop when one of them does not succeed',
    parse: wholeNumber(1, MAX_CANARY),
  },
  after: {
    value: 'LIST',
    summary: 'Wait for other jobs: afterok:12, aftercorr:NAME, singleton; "," is and, "?" is or',
    parse: readAfter,
  },
  begin: { value: 'TIME', summary: 'Start nothing before: 2027-01-31T18:00 or now+1h', parse: time(0) },
  deadline: { value: 'TIME', summary: 'Cancel what has not ended by then', parse: time(1) },
  hold: { summary: 'Start nothing until spawn release' },
  priority: { value: 'N', summary: 'Higher runs first (default 0)', parse: wholeNumber(-1_000_000, 1_000_000) },
  env: {
    value: 'K=V',
    many: true,
    summary: 'Set a variable for the tasks; K alone keeps the present value',
    parse: envVariable,
  },
  'env-file': { value: 'FILE', many: true, summary: 'Set variables from KEY=VALUE lines', parse: nonEmpty('a file') },
  cwd: { value: 'DIR', summary: 'Directory to run in (default: the present one)', parse: nonEmpty('a directory') },
  stage: { summary: 'Send the directory along: the tasks run in a copy of it, on every worker' },
  input: {
    value: 'PATTERN',
    summary: 'File that each task reads as its standard input, as in/%a.txt (default /dev/null)',
    parse: outputPattern,
  },
  output: { value: 'PATTERN', summary: 'Also copy stdout into files, as logs/%A_%4a.txt', parse: outputPattern },
  error: {
    value: 'PATTERN',
    summary: 'Also copy stderr into files; the same file as --output merges',
    parse: outputPattern,
  },
  'open-mode': {
    value: 'MODE',
    choices: ['truncate', 'append'],
    summary: 'What becomes of such a file that is there (default truncate)',
  },
  command: {
    value: 'TEXT',
    summary: 'A line for the shell (sh -c) instead of a script',
    parse: nonEmpty('a command line'),
  },
  handler: {
    value: 'FILE[#NAME]',
    summary: 'A function of a TypeScript or JavaScript module, called in a process that stays warm',
    parse: functionOption,
  },
  spec: {
    value: 'FILE',
    summary: 'A job as spawn export writes it, - for standard input; other options override it',
    parse: nonEmpty('a file'),
  },
  param: {
    value: 'NAME=VALUE',
    many: true,
    summary: 'Value of a parameter of a job file, over that of the file',
    parse: parameter,
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

export type SubmitInput = Input<typeof options>;
export type Given = SubmitInput['options'];

function idempotencyKey(text: string, where: string): string {
  if (text === '' || text.length > 200) {
    throw new SpawnError('BAD_REQUEST', { where, expected: '1 to 200 characters', found: text.length });
  }
  return text;
}
