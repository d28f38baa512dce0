import type { JobSpecInput } from '../../api/job-spec.ts';
import { SpawnError } from '../../core/errors.ts';
import { cpusOfGang } from '../../core/gang.ts';
import type { TimeText } from '../../core/time-text.ts';
import type { Given } from './options.ts';

/** A spec before it is known what runs, and where. */
export type SpecPart = Partial<Omit<JobSpecInput, 'run'>>;

/** The options that say something of a spec, in the commands that make jobs. An instance has the CPUs and the memory of its type. */
export type SpecOptions = Pick<
  Given,
  | 'name'
  | 'array'
  | 'time-limit'
  | 'signal'
  | 'retries'
  | 'retry-delay'
  | 'retry-backoff'
  | 'retry-jitter'
  | 'retry-max-delay'
  | 'retry-on'
  | 'no-retry-on'
  | 'max-failures'
  | 'canary'
  | 'after'
  | 'begin'
  | 'deadline'
  | 'hold'
  | 'priority'
  | 'input'
  | 'output'
  | 'error'
  | 'open-mode'
> &
  Partial<Pick<Given, 'cpus' | 'memory' | 'gpus' | 'resource' | 'crash-limit' | 'tasks' | 'nodes' | 'exclusive'>>;

/** What options say, over what a spec file says. Variables of the environment are not among it. */
export function specOf(given: SpecOptions, base: SpecPart, verb = 'submit'): SpecPart {
  const said = {
    name: given.name,
    array: given.array?.set.toString(),
    throttle: given.array?.throttle,
    cpus: given.cpus,
    memoryBytes: given.memory,
    gpus: given.gpus,
    exclusive: given.exclusive || undefined,
    resources: resources(given.resource ?? [], base, verb),
    timeLimitMs: given['time-limit'],
    signal: given.signal,
    retries: given.retries,
    retryDelayMs: given['retry-delay'],
    retryBackoff: given['retry-backoff'],
    retryJitter: given['retry-jitter'],
    retryMaxDelayMs: given['retry-max-delay'],
    retryOn: given['retry-on'],
    noRetryOn: given['no-retry-on'],
    crashLimit: given['crash-limit'],
    maxFailures: given['max-failures'],
    canary: given.canary,
    after: given.after,
    hold: given.hold || undefined,
    priority: given.priority,
    inputPath: given.input,
    outputPath: given.output,
    errorPath: given.error,
    openMode: given['open-mode'],
  };
  const spec: SpecPart = {
    ...withoutTimes(base, given),
    ...Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined)),
    ...gangOf(given, base),
    ...(given.begin && beginOf(given.begin)),
    ...(given.deadline && deadlineOf(given.deadline)),
  };
  checkTogether(given, spec, verb);
  return spec;
}

function resources(given: Given['resource'], base: SpecPart, verb: string): Record<string, number> | undefined {
  if (given.length === 0) return undefined;
  const names = new Set<string>();
  for (const [name] of given) {
    if (names.has(name)) usage(verb, `--resource: expected ${name} once, found twice`);
    names.add(name);
  }
  return { ...base.resources, ...Object.fromEntries(given) };
}

/** A time is written in one of two fields; the one that is given replaces both. */
function withoutTimes(base: SpecPart, given: SpecOptions): SpecPart {
  const spec = { ...base };
  if (given.begin !== undefined) {
    delete spec.beginAt;
    delete spec.beginInMs;
  }
  if (given.deadline !== undefined) {
    delete spec.deadlineAt;
    delete spec.deadlineInMs;
  }
  return spec;
}

export function beginOf(time: TimeText): { beginAt: number } | { beginInMs: number } {
  return time.kind === 'at' ? { beginAt: time.at } : { beginInMs: time.inMs };
}

export function deadlineOf(time: TimeText): { deadlineAt: number } | { deadlineInMs: number } {
  return time.kind === 'at' ? { deadlineAt: time.at } : { deadlineInMs: time.inMs };
}

/** Of a gang `--cpus` speaks of each rank, and the spec of all of them. */
function gangOf({ tasks, nodes, cpus }: SpecOptions, base: SpecPart): Pick<SpecPart, 'gang' | 'cpus'> {
  if (tasks === undefined && nodes === undefined && (base.gang === undefined || cpus === undefined)) return {};
  const before = base.gang ?? { cpusPerTask: base.cpus };
  const gang = {
    ...before,
    ...(tasks === undefined ? {} : { tasks }),
    ...(nodes === undefined ? {} : { nodes }),
    cpusPerTask: cpus ?? before.cpusPerTask ?? 1,
  };
  return { gang, cpus: cpusOfGang(gang) };
}

/** Which option says a field of the spec, where the coordinator may find more wrong with it than can be seen here. */
export const OPTION_OF: Readonly<Record<string, keyof Given>> = {
  beginAt: 'begin',
  beginInMs: 'begin',
  deadlineAt: 'deadline',
  deadlineInMs: 'deadline',
  cpus: 'cpus',
  memoryBytes: 'memory',
  gpus: 'gpus',
  gang: 'tasks',
  exclusive: 'exclusive',
  timeLimitMs: 'time-limit',
  signal: 'signal',
  retryOn: 'retry-on',
  noRetryOn: 'no-retry-on',
  canary: 'canary',
  inputPath: 'input',
  outputPath: 'output',
  errorPath: 'error',
  cwd: 'cwd',
};

function usage(verb: string, message: string): never {
  throw new SpawnError('USAGE', { message: `${verb}: ${message}` });
}

const NEED_RETRIES = [
  'retry-delay',
  'retry-backoff',
  'retry-jitter',
  'retry-max-delay',
  'retry-on',
  'no-retry-on',
] as const satisfies readonly (keyof SpecOptions)[];
const NEED_DELAY = [
  'retry-backoff',
  'retry-jitter',
  'retry-max-delay',
] as const satisfies readonly (keyof SpecOptions)[];

/** An option that would have no effect is refused: one of the two was forgotten. */
function checkTogether(given: SpecOptions, spec: SpecPart, verb: string): void {
  for (const name of NEED_RETRIES) {
    if (given[name] !== undefined && !spec.retries) usage(verb, `--${name}: expected --retries with it, found none`);
  }
  for (const name of NEED_DELAY) {
    if (given[name] !== undefined && !spec.retryDelayMs)
      usage(verb, `--${name}: expected --retry-delay with it, found none`);
  }
  if (given.signal !== undefined && !spec.timeLimitMs)
    usage(verb, '--signal: expected --time-limit with it, found none');
  if (given['open-mode'] !== undefined && spec.outputPath === undefined && spec.errorPath === undefined) {
    usage(verb, '--open-mode: expected --output or --error with it, found none');
  }
  if (spec.signal !== undefined && spec.timeLimitMs && spec.signal.beforeMs >= spec.timeLimitMs) {
    usage(verb, '--signal: expected a time shorter than --time-limit, found one that is not');
  }
  const { begin, deadline } = given;
  if (begin === undefined || deadline === undefined || begin.kind !== deadline.kind) return;
  const after = begin.kind === 'in' && deadline.kind === 'in' ? deadline.inMs > begin.inMs : later(deadline, begin);
  if (!after) usage(verb, '--deadline: expected a time after --begin, found none');
}

function later(one: TimeText, other: TimeText): boolean {
  return one.kind === 'at' && other.kind === 'at' && one.at > other.at;
}
