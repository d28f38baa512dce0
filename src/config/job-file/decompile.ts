import { JobSpec } from '../../api/job-spec.ts';
import { formatBytes } from '../../core/bytes.ts';
import { formatDuration } from '../../core/duration.ts';
import { SpawnError } from '../../core/errors.ts';
import { inputOf, outputOf } from './decompile-data.ts';
import { type Fields, said } from './said.ts';

/** Fields that a job file has no words for, or that the coordinator sets. */
const UNSAYABLE = ['gang', 'instances', 'slurm', 'paramTable', 'role', 'workflow'] as const;

/**
 * A job as a file that compiles to the same spec, in the order in which people read it. Who submitted it and in which environment is not part of a
 * file; nor is what a default says.
 *
 * @param script what is in the script, where the job runs one
 * @throws SpawnError USAGE for a job that a file cannot say
 */
export function decompileSpec(spec: JobSpec, script: string | undefined): Fields {
  const usual = JobSpec.parse({ run: { kind: 'argv', argv: ['true'] }, cwd: '/' });
  // What is as it would be anyway is left out.
  const own = Object.fromEntries(
    Object.entries(spec).filter(
      ([name, value]) => JSON.stringify(value) !== JSON.stringify(usual[name as keyof JobSpec]),
    ),
  ) as Partial<JobSpec>;
  for (const name of UNSAYABLE) if (own[name] !== undefined) throw unsayable(name);
  if (own.signal?.steps) throw unsayable('signal.steps');
  const { throttle } = own;
  return said({
    name: own.name,
    description: own.description === undefined ? undefined : plain(own.description),
    array: own.array === undefined ? undefined : arrayText(own.array),
    after: own.after,
    env: own.env && texts(own.env),
    secrets: own.secrets && escaped(own.secrets),
    params: own.params && escaped(own.params),
    input: own.input && (escaped(inputOf(own.input)) as Fields),
    algorithm: algorithmOf(spec, own, script),
    compute: computeOf(own, throttle),
    output: own.output && outputOf(own.output, (value) => escaped(value)),
    notification: own.notify?.map((rule) => escaped(ruleOf(rule))),
    advanced: advancedOf(own),
  });
}

function unsayable(field: string): SpawnError {
  const message = `export: expected a job that a job file can say, found one with ${field}; without --format it is written as a spec`;
  return new SpawnError('USAGE', { message });
}

/** A bare number is a size here and an index on the wire. */
function arrayText(indices: string): string {
  const zero = /^0-(\d+)$/.exec(indices);
  if (zero !== null) return String(Number(zero[1]) + 1);
  return /^\d+$/.test(indices) ? `${indices}-${indices}` : indices;
}

/** Text in which nothing stands for anything else. */
function plain(text: string): string {
  // A function: in a text two of the signs would stand for one.
  return text.replaceAll('${', () => '$${');
}

function texts(all: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(all).map(([name, text]) => [name, plain(text)]));
}

function escaped(value: unknown): unknown {
  if (typeof value === 'string') return plain(value);
  if (Array.isArray(value)) return value.map(escaped);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, escaped(inner)]));
}

function algorithmOf(spec: JobSpec, own: Partial<JobSpec>, script: string | undefined): Fields {
  const { run } = spec;
  const { umask } = own;
  return said({
    ...runOf(run, script),
    stdin: own.inputPath && plain(own.inputPath),
    stdout: own.outputPath && plain(own.outputPath),
    stderr: own.errorPath && plain(own.errorPath),
    open_mode: own.openMode,
    cwd: plain(spec.cwd),
    umask: umask === undefined ? undefined : umask.toString(8).padStart(3, '0'),
    stage: own.stage === undefined ? undefined : true,
  });
}

function runOf(run: JobSpec['run'], script: string | undefined): Fields {
  switch (run.kind) {
    case 'argv':
      return { command: run.argv.map(plain) };
    case 'shell':
      return { command: run.text };
    case 'handler':
      return { handler: plain(run.export === 'default' ? run.module : `${run.module}#${run.export}`) };
    case 'script':
      if (script === undefined) throw unsayable('a script that is not text');
      return said({
        script: { name: plain(run.name), text: script },
        args: run.args.length > 0 ? run.args.map(plain) : undefined,
      });
    case 'signal':
      throw unsayable('run.kind signal');
  }
}

function computeOf(own: Partial<JobSpec>, throttle: number | undefined): Fields | undefined {
  const { speculation } = own;
  const compute = said({
    concurrency: throttle,
    cpus: own.cpus,
    memory: own.memoryBytes && formatBytes(own.memoryBytes),
    gpus: own.gpus,
    resources: own.resources,
    exclusive: own.exclusive,
    time_limit: own.timeLimitMs && formatDuration(own.timeLimitMs),
    grace: own.graceMs === undefined ? undefined : formatDuration(own.graceMs),
    retries: retriesOf(own),
    crash_limit: own.crashLimit,
    max_failures: own.maxFailures,
    min_success: own.minSuccess,
    heartbeat_timeout: own.heartbeatMs && formatDuration(own.heartbeatMs),
    speculation: speculation && {
      after: speculation.after,
      times: speculation.times,
      at_least: formatDuration(speculation.leastMs),
    },
    pack: own.pack,
    priority: own.priority,
    canary: own.canary,
  });
  return orNone(compute);
}

function retriesOf(own: Partial<JobSpec>): Fields | number | undefined {
  const more = said({
    delay: own.retryDelayMs && formatDuration(own.retryDelayMs),
    backoff: own.retryBackoff,
    jitter: own.retryJitter,
    max_delay: own.retryMaxDelayMs === undefined ? undefined : formatDuration(own.retryMaxDelayMs),
    retry_on: own.retryOn,
    no_retry_on: own.noRetryOn,
  });
  if (Object.keys(more).length === 0) return own.retries;
  return { max: own.retries ?? 0, ...more };
}

function advancedOf(own: Partial<JobSpec>): Fields | undefined {
  const { signal } = own;
  const advanced = said({
    hold: own.hold,
    begin: timeOf(own.beginAt, own.beginInMs),
    deadline: timeOf(own.deadlineAt, own.deadlineInMs),
    unsatisfiable: own.invalidDependency,
    signal: signal && {
      name: signal.number,
      before: formatDuration(signal.beforeMs),
      ...(signal.mainOnly ? { to: 'main' } : {}),
    },
    log_limit: own.logCapBytes === undefined ? undefined : formatBytes(own.logCapBytes),
  });
  return orNone(advanced);
}

function orNone(fields: Fields): Fields | undefined {
  return Object.keys(fields).length === 0 ? undefined : fields;
}

function timeOf(at: number | undefined, inMs: number | undefined): string | undefined {
  if (at !== undefined) return new Date(at).toISOString();
  return inMs === undefined ? undefined : `now+${formatDuration(inMs)}`;
}

function ruleOf({
  channel,
  events,
  threshold,
  longRunningMs,
  maxPerHour,
}: NonNullable<JobSpec['notify']>[number]): Fields {
  return said({
    ...channelOf(channel),
    on: events.length === 1 ? events[0] : events,
    threshold: threshold && ('failedPart' in threshold ? { failed: threshold.failedPart } : threshold),
    long_running: longRunningMs === undefined ? undefined : formatDuration(longRunningMs),
    max_per_hour: maxPerHour === 60 ? undefined : maxPerHour,
  });
}

function channelOf(channel: NonNullable<JobSpec['notify']>[number]['channel']): Fields {
  switch (channel.kind) {
    case 'email':
      return { email: channel.to };
    case 'slack':
      return { slack: channel.url };
    case 'webhook':
      return said({ webhook: channel.url, secret: channel.secret });
    case 'command':
      return said({
        command: channel.argv,
        time_limit: channel.timeLimitMs === 60_000 ? undefined : formatDuration(channel.timeLimitMs),
      });
    case 'event':
      return { event: true };
  }
}
