import { MAX_DURATION_MS } from '../../api/limits.ts';
import type { Input, OptionTable } from '../command.ts';
import { durationUpTo, nonEmpty, wholeNumber } from '../option-values.ts';
import { jsonOption } from '../output-option.ts';
import { options as submit } from '../submit/options.ts';
import {
  count,
  dnsName,
  dollars,
  label,
  lifetime,
  line,
  logCap,
  nameTemplate,
  percent,
  tag,
  typeName,
} from './values.ts';

/** Which instances: how many, and what they are called. */
const sizeOptions = {
  count: { value: 'N', summary: 'So many instances, with the indices 0 to N-1', parse: count },
  array: {
    ...submit.array,
    summary: 'One for each index: 100 (0 to 99), 0-99:2, 1,3,7-9; with %N at most N at once',
  },
  'job-array-name': { value: 'NAME', summary: 'Name of the array, and part of its DNS names', parse: dnsName },
  name: { value: 'NAME', summary: 'The same, or {name} of --instance-names beside --job-array-name', parse: dnsName },
  'instance-names': {
    value: 'TEMPLATE',
    summary: 'Names of the members (default {job-array-name}-{index}); also {index:03} and {name}',
    parse: nameTemplate,
  },
  'param-file': {
    value: 'FILE',
    summary: 'One instance for each set of parameters in a JSON, YAML or CSV file',
    parse: nonEmpty('a file'),
  },
  template: {
    value: 'NAME',
    summary: 'Begin with the options of a saved template; those given here go before them',
    parse: dnsName,
  },
  unset: { value: 'OPTION', many: true, summary: 'Leave out an option of the template', parse: nonEmpty('an option') },
} as const satisfies OptionTable;

/** What runs in them. */
const workOptions = {
  command: { ...submit.command, summary: 'A line for the shell (sh -c) that each runs' },
  'user-data': {
    value: 'TEXT|@FILE',
    summary: 'A script that runs when an instance first starts; @- reads standard input',
    parse: nonEmpty('a script'),
  },
  'user-data-file': { value: 'FILE', summary: 'The same, from a file', parse: nonEmpty('a file') },
  env: submit.env,
  'env-file': submit['env-file'],
  cwd: submit.cwd,
  input: submit.input,
  output: submit.output,
  error: submit.error,
  'open-mode': submit['open-mode'],
  'log-cap': {
    value: 'BYTES',
    summary: 'Keep so much output of an attempt (default 16M)',
    parse: logCap,
  },
} as const satisfies OptionTable;

/** What they are, and where. */
const machineOptions = {
  provider: { value: 'NAME', choices: ['local'], summary: 'Who starts them' },
  'instance-type': {
    value: 'TYPE',
    summary: 'CPUs and memory of each, as m7i.large (default t3.micro)',
    parse: typeName,
  },
  region: { value: 'NAME', summary: 'Where they are: a label with addresses of its own (default local)', parse: label },
  az: { value: 'ZONE', summary: 'All in one zone; without it they are spread over those of the region', parse: label },
  spot: { summary: 'At the spot price; spawn interrupt takes such an instance away' },
  'spot-max-price': { value: 'USD', summary: 'Refuse a spot price above this, an hour', parse: dollars },
  dns: { value: 'NAME', summary: 'In place of the name of the array in DNS names', parse: label },
  tag: { value: 'K=V', many: true, summary: 'A tag of every instance', parse: tag },
  strict: { summary: 'Refuse more CPUs or memory than this machine has, in place of sharing it' },
  'ignore-unsupported': { summary: 'Launch without the options that the provider cannot honour, with a note' },
} as const satisfies OptionTable;

/** When and how they end. */
const lifeOptions = {
  ttl: { value: 'DURATION', summary: 'Terminate each so long after it began to run, as 30m or 1d12h', parse: lifetime },
  'ttl-mode': {
    value: 'MODE',
    choices: ['running', 'wall'],
    summary: 'Which time its TTL counts: while it runs (default), or all',
  },
  'idle-timeout': { value: 'DURATION', summary: 'Act when one has been idle for so long', parse: lifetime },
  'idle-cpu': { value: 'PERCENT', summary: 'Below this it counts as idle (default 5)', parse: percent },
  'on-idle': {
    value: 'ACTION',
    choices: ['stop', 'hibernate', 'terminate'],
    summary: 'What is done then (default stop)',
  },
  hibernate: { summary: 'The same as --on-idle hibernate, unless --on-idle says otherwise' },
  'no-timeout': { summary: 'No TTL and no idle timeout, also not of the template, and no note about it' },
  'on-complete': {
    value: 'ACTION',
    choices: ['none', 'terminate', 'stop', 'hibernate'],
    summary: 'What is done on its completion (default none)',
  },
  'pre-stop': {
    value: 'COMMAND',
    summary: 'Run this inside before it is stopped, hibernated, interrupted or terminated',
    parse: line,
  },
  'pre-stop-timeout': {
    value: 'DURATION',
    summary: 'For at most so long (default 5m)',
    parse: durationUpTo(MAX_DURATION_MS),
  },
  'cost-limit': { value: 'USD', summary: 'End them all before they have cost more than this together', parse: dollars },
} as const satisfies OptionTable;

/** How the array as a whole is launched, and what becomes of it when a part fails. */
const arrayOptions = {
  'min-viable': { value: 'N', summary: 'The launch is a success when so many run (default all)', parse: count },
  'on-failure': {
    value: 'ACTION',
    choices: ['cleanup', 'keep', 'fail-all'],
    summary: 'What is done when fewer start (default cleanup)',
  },
  'fail-all-on-one': { summary: 'End all when the task of one fails' },
  replacements: {
    value: 'N',
    summary: 'Replace an instance that is lost or interrupted up to N times (default 0)',
    parse: wholeNumber(0, 1_000),
  },
  'max-concurrent': {
    value: 'N',
    summary: 'At most N at once whose task is not over, as %N of --array',
    parse: wholeNumber(1, 1_000_000_000),
  },
  'launch-delay': { value: 'DURATION', summary: 'Between the start of two', parse: durationUpTo(MAX_DURATION_MS) },
  canary: submit.canary,
  'max-failures': submit['max-failures'],
  retries: submit.retries,
  'retry-delay': submit['retry-delay'],
  'retry-backoff': submit['retry-backoff'],
  'retry-jitter': submit['retry-jitter'],
  'retry-max-delay': submit['retry-max-delay'],
  'retry-on': submit['retry-on'],
  'no-retry-on': submit['no-retry-on'],
  'time-limit': submit['time-limit'],
  time: { value: 'DURATION', summary: 'The same as --time-limit', parse: submit['time-limit'].parse },
  signal: submit.signal,
  after: submit.after,
  begin: submit.begin,
  deadline: submit.deadline,
  hold: submit.hold,
  priority: submit.priority,
} as const satisfies OptionTable;

/** What the command itself does and prints. */
const flowOptions = {
  'dry-run': { summary: 'Check everything and print the plan with its cost; launch nothing' },
  detach: { summary: 'Return as soon as the array is accepted' },
  'wait-for-running': { summary: 'Return when all run (without it: on a terminal only)' },
  wait: { summary: 'Wait for the end; exit with the highest exit code of the tasks' },
  follow: submit.follow,
  'idempotency-key': { ...submit['idempotency-key'], summary: 'Launch once only, however often this is repeated' },
  quiet: { short: 'q', summary: 'Print the array id only' },
  yes: { short: 'y', summary: 'Do not ask before a launch of more than 100 instances' },
  format: jsonOption,
  json: { summary: 'The same as -o json' },
} as const satisfies OptionTable;

/** Those that a provider cannot honour are in unsupported.ts. */
export const options = {
  ...sizeOptions,
  ...workOptions,
  ...machineOptions,
  ...lifeOptions,
  ...arrayOptions,
  ...flowOptions,
} as const satisfies OptionTable;

export type LaunchInput = Input<typeof options>;
/** All that is said of a launch: by flags, a template and a file of parameters. */
export type Given = LaunchInput['options'];
