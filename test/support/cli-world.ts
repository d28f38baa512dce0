import type { FailureGroup, SummaryReply } from '../../src/api/insight.ts';
import type { JobDelta, JobView, TaskView } from '../../src/api/job.ts';
import type { ServerView } from '../../src/api/server-view.ts';
import type { Client } from '../../src/cli/client.ts';
import { main } from '../../src/cli/main.ts';
import type { Sink, World } from '../../src/cli/world.ts';
import { SpawnError } from '../../src/core/errors.ts';

/** A job of 10 tasks that has just been submitted, but for what is given. */
export function aJob(part: Partial<JobView> = {}): JobView {
  const size = part.size ?? 10;
  return {
    id: 12,
    arrayId: 'fit-20261121-ab12cd',
    name: 'fit',
    owner: '1000',
    state: 'ready',
    ...(size === 1 ? {} : { array: `0-${size - 1}` }),
    size,
    throttle: 0,
    held: false,
    priority: 0,
    counts: { ...someCounts({}), ready: size },
    command: 'run.sh',
    cwd: '/home/ada',
    cpus: 1,
    memoryBytes: 0,
    timeLimitMs: 0,
    retries: 0,
    retried: 0,
    createdAt: 1_000_000,
    ...part,
  };
}

export function someCounts(part: Partial<JobView['counts']>): JobView['counts'] {
  const none = { blocked: 0, ready: 0, leased: 0, running: 0, completed: 0, failed: 0, cancelled: 0, skipped: 0 };
  return { ...none, ...part };
}

export function aTask(index: number, part: Partial<TaskView> = {}): TaskView {
  return { id: `12_${index}`, jobId: 12, index, rawId: 1e9 + index, state: 'ready', attempt: 0, failures: 0, ...part };
}

export function aSummary(job: JobView, part: Partial<SummaryReply> = {}): SummaryReply {
  return { job, failures: [], slowest: [], longestRunning: [], retriedTasks: 0, ...part };
}

export function aFailure(part: Partial<FailureGroup> = {}): FailureGroup {
  return {
    cause: 'exit',
    exitCode: 3,
    outcome: 'exit 3',
    message: 'No such file: <path>',
    tasks: 2,
    estimated: false,
    example: '12_1',
    indices: '1,5',
    ...part,
  };
}

export function aDelta(job: JobView): JobDelta {
  const { id, state, counts, retried, endedAt, exitCode } = job;
  const end = { ...(endedAt === undefined ? {} : { endedAt }), ...(exitCode === undefined ? {} : { exitCode }) };
  return { id, state, counts, retried, ...end };
}

export function aServer(part: Partial<ServerView> = {}): ServerView {
  return {
    version: '0.1.0',
    api: 1,
    pid: 4711,
    host: 'lovelace',
    storeId: 'st',
    epoch: 3,
    dataDir: '/home/ada/.local/share/spawn',
    startedAt: 0,
    liveJobs: 0,
    writable: true,
    counters: {},
    sessions: [],
    ...part,
  };
}

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** What the client was asked, in order: the method and its arguments. */
  readonly calls: readonly (readonly [string, ...unknown[]])[];
}

export interface RunOptions {
  /** What the coordinator answers; a method that is not here must not be called. */
  readonly client?: Partial<Record<keyof Client, (...args: never[]) => unknown>>;
  readonly world?: Partial<World>;
  /** Whether standard output and standard error are terminals; default neither. */
  readonly tty?: boolean;
  /** Whether they show colours; default not. */
  readonly colour?: boolean;
  /** Width of the terminal. */
  readonly columns?: number;
  readonly stdin?: string | Uint8Array | 'terminal';
}

/** Runs a command line in a world of its own, with a coordinator that answers what it is told to. */
export async function runCli(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const calls: [string, ...unknown[]][] = [];
  const out = captured(options);
  const err = captured(options);
  const client = new Proxy({} as Client, {
    get: (_, name: keyof Client) => {
      if (name === 'close') return () => {};
      // An `await` asks every object for this one.
      if ((name as string) === 'then') return undefined;
      return (...args: never[]) => {
        calls.push([name, ...args]);
        const answer = options.client?.[name];
        if (answer === undefined) throw new Error(`the client was asked for ${name}`);
        return answer(...args);
      };
    },
  });
  const { stdin } = options;
  const env = options.world?.env ?? { PATH: '/bin', HOME: '/home/ada' };
  const world: World = {
    env,
    ownEnv: env,
    cwd: '/tmp',
    umask: 0o022,
    userName: () => 'ada',
    stdin: {
      isTTY: stdin === 'terminal',
      read: async (limit) => {
        const bytes = typeof stdin === 'string' ? new TextEncoder().encode(stdin) : (stdin ?? new Uint8Array(0));
        return bytes.length > limit ? undefined : bytes;
      },
      async *lines() {
        if (typeof stdin === 'string') yield* stdin.replace(/\n$/, '').split('\n');
      },
    },
    ask: async (question) => {
      err.sink.write(question);
      return '';
    },
    stdout: out.sink,
    stderr: err.sink,
    now: () => 1_060_000,
    every: () => () => {},
    // In its turn, not at once: what asks again and again must let others go on.
    pause: () => new Promise((resolve) => setImmediate(resolve)),
    connect: async () => client,
    connectIfRunning: async () => client,
    server: async () => {
      throw new Error('the embedded coordinator was asked for');
    },
    enter: async () => {
      throw new Error('an instance was entered');
    },
    onInterrupt: () => () => {},
    close: async () => {},
    ...options.world,
  };
  const code = await main([...argv], world);
  return { code, out: out.text(), err: err.text(), calls };
}

function captured({ tty = false, colour = false, columns = 100 }: RunOptions): { sink: Sink; text: () => string } {
  const pieces: Uint8Array[] = [];
  const sink: Sink = {
    isTTY: tty,
    columns,
    rows: 24,
    colour,
    write: (data) => {
      pieces.push(typeof data === 'string' ? new TextEncoder().encode(data) : data.slice());
    },
  };
  return { sink, text: () => Buffer.concat(pieces).toString() };
}

/** An answer of `watch`: these deltas, then the end or this error. */
export function deltas(...steps: readonly (JobDelta | 'lost')[]): () => AsyncGenerator<JobDelta> {
  return async function* () {
    for (const step of steps) {
      if (step === 'lost') throw new SpawnError('SERVER_UNREACHABLE', { address: '/run/x.sock' });
      yield step;
    }
  };
}
