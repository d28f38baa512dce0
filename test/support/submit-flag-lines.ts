import type { Line } from './instance-flag-lines.ts';

/** Files that the lines name. */
export const SUBMIT_FILES: Readonly<Record<string, string>> = {
  'run.env': 'A=1\n',
  'tasks.mjs': 'export const run = () => {};\n',
  'job.json': '{"cpus": 2}',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a job file replaces it.
  'job.yaml': 'params: {lr: 1}\narray: "${lr}"\nalgorithm: {command: fit}\n',
  'sweep.csv': 'lr\n0.1\n',
  'queue.yaml': 'jobs:\n- {id: a, command: x, result_paths: [y]}\n',
};

const submit = (flag: readonly string[], ...before: string[]): Line => [before, flag, ['--', 'x']];
const retries = ['--retries', '2', '--retry-delay', '1s'];

/** A line for every flag of the commands that submit. */
const ofSubmit = {
  array: submit(['--array', '5%2']),
  name: submit(['--name', 'fit']),
  cpus: submit(['--cpus', '2']),
  memory: submit(['--memory', '1G']),
  gpus: submit(['--gpus', '0.5']),
  resource: submit(['--resource', 'x=1']),
  tasks: submit(['--tasks', '4']),
  nodes: submit(['--nodes', '2-3']),
  exclusive: submit(['--exclusive']),
  'time-limit': submit(['--time-limit', '1h']),
  signal: submit(['--signal', 'USR1@30'], '--time-limit', '1h'),
  retries: submit(['--retries', '2']),
  'retry-delay': submit(['--retry-delay', '5s'], '--retries', '2'),
  'retry-backoff': submit(['--retry-backoff', 'exponential'], ...retries),
  'retry-jitter': submit(['--retry-jitter', '10%'], ...retries),
  'retry-max-delay': submit(['--retry-max-delay', '5s'], ...retries),
  'retry-on': submit(['--retry-on', '1,oom'], ...retries),
  'no-retry-on': submit(['--no-retry-on', '2'], ...retries),
  'crash-limit': submit(['--crash-limit', '9']),
  'max-failures': submit(['--max-failures', '3']),
  canary: submit(['--canary', '3']),
  after: submit(['--after', 'afterok:3']),
  begin: submit(['--begin', '1h']),
  deadline: submit(['--deadline', '2h']),
  hold: submit(['--hold']),
  priority: submit(['--priority', '3']),
  env: submit(['--env', 'A=1']),
  'env-file': submit(['--env-file', 'run.env']),
  cwd: submit(['--cwd', '/']),
  stage: submit(['--stage']),
  input: submit(['--input', '%a.in']),
  output: submit(['--output', '%a.out']),
  error: submit(['--error', '%a.err']),
  'open-mode': submit(['--open-mode', 'append'], '--output', 'x'),
  handler: [[], ['--handler', './tasks.mjs#run'], []],
  command: [[], ['--command', 'date']],
  spec: submit(['--spec', 'job.json']),
  param: [['job.yaml'], ['--param', 'lr=2']],
  'idempotency-key': submit(['--idempotency-key', 'k']),
  wait: submit(['--wait']),
  follow: submit(['--follow']),
  quiet: submit(['--quiet']),
  'dry-run': submit(['--dry-run']),
  format: submit(['-o', 'json']),
} satisfies Record<string, Line>;

/** The same after the file of a sweep; what is of a job file or a spec is not for it. */
function ofSweep(): Record<string, Line> {
  const { array: _, spec: __, param: ___, ...others } = ofSubmit;
  const lines = Object.entries(others).map(([flag, [before, given, after = []]]): [string, Line] => [
    flag,
    [['--param-file', 'sweep.csv', ...before], given, flag === 'command' ? [] : after],
  ]);
  return Object.fromEntries(lines);
}

export const SUBMIT_LINES: Readonly<Record<string, Readonly<Record<string, Line>>>> = {
  submit: ofSubmit,
  run: {
    array: [['job.yaml'], ['--array', '5']],
    name: [['job.yaml'], ['--name', 'fit']],
    env: [['job.yaml'], ['--env', 'A=1']],
    param: [['job.yaml'], ['--param', 'lr=2']],
    follow: [['job.yaml'], ['--follow']],
    quiet: [['job.yaml'], ['--quiet']],
    format: [['job.yaml'], ['-o', 'json']],
  },
  init: { template: [['-'], ['--template', 'csv']] },
  validate: {
    param: [['job.yaml'], ['--param', 'lr=2']],
    schema: [[], ['--schema']],
    format: [['job.yaml'], ['-o', 'json']],
  },
  sweep: {
    ...ofSweep(),
    'param-file': [[], ['--param-file', 'sweep.csv'], ['--', 'x']],
    'max-concurrent': [
      ['--param-file', 'sweep.csv'],
      ['--max-concurrent', '2'],
      ['--', 'x'],
    ],
  },
  queue: {
    results: [
      ['run', 'queue.yaml'],
      ['--results', 'there'],
    ],
    detach: [['run', 'queue.yaml'], ['--detach']],
    'idempotency-key': [
      ['run', 'queue.yaml'],
      ['--idempotency-key', 'k'],
    ],
    quiet: [['run', 'queue.yaml'], ['--quiet']],
    'dry-run': [['run', 'queue.yaml'], ['--dry-run']],
    format: [
      ['run', 'queue.yaml'],
      ['-o', 'json'],
    ],
  },
};
