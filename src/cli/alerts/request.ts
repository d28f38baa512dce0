import type {
  AlertChannel,
  AlertEvent,
  AlertFilter,
  AlertThreshold,
  CreateAlertRequestInput,
} from '../../api/alert.ts';
import type { SecretRef } from '../../api/data.ts';
import { SpawnError } from '../../core/errors.ts';
import { didYouMean } from '../../core/nearest.ts';
import { nonEmpty } from '../option-values.ts';

/** What can be made: a channel, or money with any of them. */
export const KINDS = ['slack', 'email', 'webhook', 'command', 'cost'] as const;
export type Kind = (typeof KINDS)[number];

/** As in api/alert.ts, which commands do not load. */
const EVENTS = [
  'start',
  'first_failure',
  'failed',
  'completed',
  'cancelled',
  'ended',
  'array_complete',
  'threshold',
  'long_running',
  'task_failed',
  'workflow_ended',
  'cost',
  'budget',
  'instance_warning',
  'instance_lost',
  'instance_failed',
] as const satisfies readonly AlertEvent[];

export interface CreateOptions {
  readonly webhook: string | undefined;
  readonly secret: SecretRef | undefined;
  readonly to: readonly string[];
  readonly event: readonly AlertEvent[][];
  readonly filter: readonly Partial<AlertFilter>[];
  readonly threshold: string | undefined;
  readonly period: 'month' | 'total' | undefined;
  readonly after: number | undefined;
  readonly 'max-per-hour': number | undefined;
  readonly name: string | undefined;
}

function refuse(where: string, expected: string, found: string): never {
  throw new SpawnError('BAD_REQUEST', { where, expected, found });
}

/** `env:NAME` or `file:PATH`; undefined: it is neither. */
export function readRef(text: string): SecretRef | undefined {
  const [, kind, rest] = /^(env|file):(.+)$/s.exec(text) ?? [];
  if (rest === undefined) return undefined;
  return kind === 'env' ? { env: rest } : { file: rest };
}

export function secretRef(text: string, where: string): SecretRef {
  // What was given may be the secret itself.
  return readRef(text) ?? refuse(where, 'env:NAME or file:PATH', 'something else');
}

/** `failed,completed`. */
export function eventList(text: string, where: string): AlertEvent[] {
  return text.split(',').map((word) => {
    const name = word.trim().replaceAll('-', '_');
    const known = EVENTS.find((event) => event === name);
    return known ?? refuse(where, `${EVENTS.join(', ')}${didYouMean(name, EVENTS)}`, word);
  });
}

const FILTER_KEYS = ['array:id', 'array:name', 'job', 'name', 'owner', 'state', 'workflow'];
const STATES = ['completed', 'failed', 'cancelled', 'skipped'] as const;

/** `array:id=ID`, `name=fit-*`, `owner=ada`, `state=failed,cancelled`. */
export function filterPart(text: string, where: string): Partial<AlertFilter> {
  const at = text.indexOf('=');
  const key = at < 0 ? text : text.slice(0, at);
  const value = at < 0 ? '' : text.slice(at + 1);
  if (!FILTER_KEYS.includes(key)) refuse(where, `one of ${FILTER_KEYS.join(', ')}${didYouMean(key, FILTER_KEYS)}`, key);
  nonEmpty(`${key}=VALUE`)(value, where);
  switch (key) {
    case 'array:id':
    case 'job':
      return { job: value };
    case 'workflow':
      return { workflow: value };
    case 'owner':
      return { owner: value };
    case 'state':
      return {
        states: value
          .split(',')
          .map((word) => STATES.find((state) => state === word) ?? refuse(where, STATES.join(', '), word)),
      };
    default:
      return { name: value };
  }
}

/** Where a URL may be that is not on the command line. */
export interface From {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** All that is written to standard input. */
  readonly stdin: () => string;
}

/** What to send, of what was given. */
export function requestOf(
  kind: Kind,
  options: CreateOptions,
  argv: readonly string[] | undefined,
  from: From,
): CreateAlertRequestInput {
  const { threshold, after, period, name } = options;
  if (kind !== 'command' && argv !== undefined) refuse('--', `nothing with alerts create ${kind}`, argv.join(' '));
  const channel = channelOf(kind, options, argv, from);
  const events = new Set(options.event.flat());
  const cost = kind === 'cost' ? { amount: usd(threshold), ...(period === undefined ? {} : { period }) } : undefined;
  if (kind === 'cost') events.add('cost');
  else if (period !== undefined) refuse('--period', 'alerts create cost', kind);
  if (kind !== 'cost' && threshold !== undefined) events.add('threshold');
  if (after !== undefined) events.add('long_running');
  if (events.size === 0) events.add('ended');
  return {
    channel,
    events: [...events],
    filter: Object.assign({}, ...options.filter) as AlertFilter,
    ...(name === undefined ? {} : { name }),
    ...(cost === undefined ? {} : { cost }),
    ...(kind === 'cost' || threshold === undefined ? {} : { threshold: thresholdOf(threshold) }),
    ...(after === undefined ? {} : { longRunningMs: after }),
    ...(options['max-per-hour'] === undefined ? {} : { maxPerHour: options['max-per-hour'] }),
  };
}

function channelOf(
  kind: Kind,
  { webhook, secret, to }: CreateOptions,
  argv: readonly string[] | undefined,
  from: From,
): AlertChannel {
  const wanted = kind === 'cost' ? (to.length > 0 ? 'email' : webhook === undefined ? 'event' : 'any') : kind;
  if (webhook !== undefined && ['email', 'command', 'event'].includes(wanted))
    refuse('--webhook', `none with alerts create ${kind}`, 'one');
  if (to.length > 0 && wanted !== 'email') refuse('--to', `none with alerts create ${kind}`, to[0]!);
  if (secret !== undefined && wanted !== 'webhook' && wanted !== 'any')
    refuse('--secret', `none with alerts create ${kind}`, 'one');
  if (wanted === 'event') return { kind: 'event' };
  if (wanted === 'email')
    return to.length > 0 ? { kind: 'email', to: [...to] } : refuse('--to', 'an address', 'nothing');
  if (wanted === 'command') {
    if (argv === undefined || argv.length === 0)
      return refuse('--', 'a command, as: alerts create command -- PROGRAM ARG…', 'nothing');
    return { kind: 'command', argv: [...argv], timeLimitMs: 60_000 };
  }
  const given = webhook ?? refuse('--webhook', 'a URL, env:NAME, file:PATH or - (standard input)', 'nothing');
  const url = urlOf(given, from);
  const isSlack =
    wanted === 'slack' || (wanted === 'any' && typeof url === 'string' && url.startsWith('https://hooks.slack.com/'));
  if (isSlack && secret !== undefined) refuse('--secret', 'none for Slack, whose URL is the secret', 'one');
  return isSlack ? { kind: 'slack', url } : { kind: 'webhook', url, ...(secret === undefined ? {} : { secret }) };
}

/** A file is read by the coordinator whenever it sends; a variable is known here alone. */
function urlOf(given: string, { env, stdin }: From): string | SecretRef {
  if (given === '-') return stdin().trim();
  const ref = readRef(given);
  if (ref === undefined) return given;
  if ('file' in ref)
    return ref.file.startsWith('/') ? ref : refuse('--webhook', 'file: and an absolute path', ref.file);
  return env[ref.env] ?? refuse('--webhook', `a URL in the variable ${ref.env}`, 'no such variable');
}

function usd(text: string | undefined): number {
  const amount = /^\$?(\d{1,9}(?:\.\d{1,6})?)$/.exec(text ?? '')?.[1];
  return amount === undefined ? refuse('--threshold', 'an amount in USD, as 50.00', text ?? 'nothing') : Number(amount);
}

/** `10` failed tasks, `5%` of them, `progress=50%`. */
function thresholdOf(text: string): AlertThreshold {
  const [, progress, number, percent] = /^(progress=)?(\d{1,9}(?:\.\d+)?)(%)?$/.exec(text) ?? [];
  const value = Number(number);
  if (percent !== undefined && value > 0 && value <= 100)
    return progress === undefined ? { failedPart: value / 100 } : { progress: value / 100 };
  if (progress === undefined && percent === undefined && Number.isInteger(value) && value > 0)
    return { failures: value };
  return refuse('--threshold', '10 (failed tasks), 5% (of them) or progress=50%', text);
}
