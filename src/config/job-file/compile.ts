import type { FileAlgorithm } from '../../api/job-file/algorithm.ts';
import type { FileCompute } from '../../api/job-file/compute.ts';
import type { FileNotification } from '../../api/job-file/notification.ts';
import type { FileStage, JobFile } from '../../api/job-file.ts';
import type { JobSpecInput, RunSpec } from '../../api/job-spec.ts';
import { namesIn, replaceNames } from '../../core/named-dependency.ts';
import { parseTime, type ZoneOffset } from '../../core/time-text.ts';
import { inputSpec, outputSpec } from './compile-data.ts';
import { type ParamSet, parameterSets } from './parameter-sets.ts';

/** A script that is not with the coordinator yet. */
export type FileScript =
  | { readonly kind: 'scriptFile'; readonly path: string; readonly args: readonly string[] }
  | { readonly kind: 'scriptText'; readonly name: string; readonly text: string; readonly args: readonly string[] };

/** One job of a file, without what only the place of the submit can tell: its directory, its environment, the hashes of what is uploaded. */
export interface CompiledJob {
  /** Name of the stage; `job` when it is the only one. */
  readonly key: string;
  /** Jobs of the same file stand in `after` as `@key`. */
  readonly spec: Omit<JobSpecInput, 'run' | 'cwd'>;
  readonly run: Exclude<RunSpec, { kind: 'script' }> | FileScript;
  /** As written; relative to the directory of the file. */
  readonly cwd: string | undefined;
  /** Whether the directory is to be sent along. */
  readonly sendsDirectory: boolean;
  /** Parameters of each task, in order; how many they are is the size of the array. */
  readonly parameterSets: Iterable<ParamSet> | undefined;
  /** How many they are; undefined when the input tells it. */
  readonly tasks: number | undefined;
  readonly onFailure: 'continue' | 'stop' | undefined;
}

export interface CompiledFile {
  readonly name: string | undefined;
  readonly jobs: readonly CompiledJob[];
  /** Whether it is a workflow, of one stage or many. */
  readonly isWorkflow: boolean;
}

const ONLY_KEY = 'job';
/** Events that tell of the end of one job, well or however. */
const ENDS: readonly string[] = ['ended', 'array_complete', 'completed'];
const DEFAULT_SIGNAL_MS = 60_000;

/** The jobs that a file means. @param zone of the times in it that say none */
export function compileJobFile(file: JobFile, zone: ZoneOffset): CompiledFile {
  const { name, advanced } = file;
  const stages = advanced?.stages;
  if (stages === undefined) {
    const job = compileJob(ONLY_KEY, { ...file, algorithm: file.algorithm! }, file, zone, new Set());
    return { name, jobs: [job], isWorkflow: false };
  }
  const keys = new Set(Object.keys(stages));
  const notification = file.notification?.map((rule) => ({ ...rule, on: eventsOfAll(rule.on) }));
  const jobs = Object.entries(stages).map(([key, stage]) =>
    compileJob(key, withShared(stage, file), { ...file, name: undefined, notification }, zone, keys),
  );
  return { name, jobs, isWorkflow: true };
}

/** Of several jobs the end of the last one is told, once. */
function eventsOfAll(on: FileNotification[number]['on']): FileNotification[number]['on'] {
  return [...new Set(on.map((event) => (ENDS.includes(event) ? 'workflow_ended' : event)))];
}

/** What stands beside the stages holds for each that does not say otherwise. */
function withShared(stage: FileStage, { env, secrets, params, compute, advanced }: JobFile): FileStage {
  const { stages: _, matrix: __, sweep: ___, ...conditions } = advanced ?? {};
  const both = <T extends object>(shared: T | undefined, own: T | undefined): T | undefined =>
    shared === undefined ? own : own === undefined ? shared : { ...shared, ...own };
  // A name that the stage uses in one way is not there in the other.
  const without = <T>(all: Readonly<Record<string, T>> | undefined, names: object | undefined) =>
    all && Object.fromEntries(Object.entries(all).filter(([name]) => !Object.hasOwn(names ?? {}, name)));
  return {
    ...stage,
    env: both(without(env, stage.secrets), stage.env),
    secrets: both(without(secrets, stage.env), stage.secrets),
    params: both(params, stage.params),
    compute: both(compute, stage.compute),
    advanced: both<NonNullable<FileStage['advanced']>>(conditions, stage.advanced),
  };
}

type Described = Pick<JobFile, 'name' | 'description' | 'notification'>;

function compileJob(
  key: string,
  stage: FileStage,
  file: Described,
  zone: ZoneOffset,
  keys: ReadonlySet<string>,
): CompiledJob {
  const { algorithm, advanced = {}, array } = stage;
  const sets = parameterSets(advanced.matrix, advanced.sweep);
  const spec = {
    name: file.name,
    description: file.description,
    array: sets === undefined ? array?.indices : indicesOf(sets.size),
    throttle: array?.throttle === undefined ? stage.compute?.concurrency : array.throttle,
    after: stage.after === undefined ? undefined : keyed(stage.after, keys),
    env: stage.env,
    secrets: stage.secrets,
    params: stage.params,
    input: stage.input && inputSpec(stage.input),
    output: stage.output && outputSpec(stage.output),
    notify: file.notification?.map(ruleOf),
    ...filesOf(algorithm),
    ...needsOf(stage.compute ?? {}),
    ...conditionsOf(advanced, zone),
  };
  return {
    key,
    spec: defined(spec),
    run: runOf(algorithm),
    cwd: algorithm.cwd,
    sendsDirectory: algorithm.stage ?? false,
    parameterSets: sets?.rows,
    tasks: stage.input === undefined ? (sets?.size ?? array?.size ?? 1) : undefined,
    onFailure: advanced.on_failure,
  };
}

/** Without what is not said. */
function defined<T extends object>(spec: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== undefined)) as ReturnType<
    typeof defined<T>
  >;
}

function indicesOf(size: number): string {
  return size === 1 ? '0' : `0-${size - 1}`;
}

function keyed(after: string, keys: ReadonlySet<string>): string {
  const stages = namesIn(after).filter(({ name }) => keys.has(name));
  return replaceNames(after, stages, (name) => `@${name}`);
}

function runOf({ command, script, handler, args = [] }: FileAlgorithm): CompiledJob['run'] {
  if (typeof command === 'string') return { kind: 'shell', text: command };
  if (command !== undefined) return { kind: 'argv', argv: command };
  if (handler !== undefined) return { kind: 'handler', module: handler.module, export: handler.export ?? 'default' };
  if (typeof script === 'object') return { kind: 'scriptText', name: script.name, text: script.text, args };
  return script!.includes('\n')
    ? { kind: 'scriptText', name: 'script', text: script!, args }
    : { kind: 'scriptFile', path: script!, args };
}

function filesOf({ stdin, stdout, stderr, open_mode, umask }: FileAlgorithm) {
  return {
    inputPath: stdin === 'part' ? undefined : stdin,
    outputPath: stdout,
    errorPath: stderr,
    openMode: open_mode,
    umask,
  };
}

function needsOf(compute: FileCompute) {
  const { retries, speculation } = compute;
  return {
    cpus: compute.cpus,
    memoryBytes: compute.memory,
    gpus: compute.gpus,
    resources: compute.resources,
    exclusive: compute.exclusive,
    timeLimitMs: compute.time_limit,
    graceMs: compute.grace,
    retries: retries?.max,
    retryDelayMs: retries?.delay,
    retryBackoff: retries?.backoff,
    retryJitter: retries?.jitter,
    retryMaxDelayMs: retries?.max_delay,
    retryOn: retries?.retry_on,
    noRetryOn: retries?.no_retry_on,
    crashLimit: compute.crash_limit,
    maxFailures: compute.max_failures,
    minSuccess: compute.min_success,
    heartbeatMs: compute.heartbeat_timeout,
    speculation:
      speculation && defined({ after: speculation.after, times: speculation.times, leastMs: speculation.at_least }),
    pack: compute.pack,
    priority: compute.priority,
    canary: compute.canary,
  };
}

function conditionsOf(advanced: NonNullable<FileStage['advanced']>, zone: ZoneOffset) {
  const begin = advanced.begin === undefined ? undefined : parseTime(advanced.begin, zone);
  const deadline = advanced.deadline === undefined ? undefined : parseTime(advanced.deadline, zone);
  const { signal } = advanced;
  return {
    hold: advanced.hold,
    beginAt: begin?.kind === 'at' ? begin.at : undefined,
    beginInMs: begin?.kind === 'in' ? begin.inMs : undefined,
    deadlineAt: deadline?.kind === 'at' ? deadline.at : undefined,
    deadlineInMs: deadline?.kind === 'in' ? deadline.inMs : undefined,
    invalidDependency: advanced.unsatisfiable,
    logCapBytes: advanced.log_limit,
    signal: signal && {
      number: signal.name,
      beforeMs: signal.before ?? DEFAULT_SIGNAL_MS,
      mainOnly: signal.to === 'main',
    },
  };
}

function ruleOf(rule: FileNotification[number]): NonNullable<JobSpecInput['notify']>[number] {
  const { threshold } = rule;
  return defined({
    channel: channelOf(rule),
    events: rule.on,
    threshold: threshold && thresholdOf(threshold),
    longRunningMs: rule.long_running,
    maxPerHour: rule.max_per_hour,
  });
}

type RuleInput = NonNullable<JobSpecInput['notify']>[number];

function channelOf({
  email,
  slack,
  webhook,
  command,
  secret,
  time_limit,
}: FileNotification[number]): RuleInput['channel'] {
  if (email !== undefined) return { kind: 'email', to: email };
  if (slack !== undefined) return { kind: 'slack', url: slack };
  if (webhook !== undefined) return { kind: 'webhook', url: webhook, ...(secret === undefined ? {} : { secret }) };
  if (command !== undefined) {
    return { kind: 'command', argv: command, ...(time_limit === undefined ? {} : { timeLimitMs: time_limit }) };
  }
  return { kind: 'event' };
}

function thresholdOf({
  failures,
  failed,
  progress,
}: NonNullable<FileNotification[number]['threshold']>): NonNullable<RuleInput['threshold']> {
  if (failures !== undefined) return { failures };
  return failed === undefined ? { progress: progress! } : { failedPart: failed };
}
