import type { CAUSES, CLOCKS, REFUSALS, STEPS } from './protocol.ts';

export type ForkerKind = 'native' | 'node';
/** Why the forker killed a task; `none` when it did not. */
export type KillCause = (typeof CAUSES)[number];
export type LeaseClock = (typeof CLOCKS)[number];
/** What failed before the task's program ran; `exec` includes a program that is not found. */
export type SpawnStep = Exclude<(typeof STEPS)[number], ''>;
export type RefusedReason = Exclude<(typeof REFUSALS)[number], ''>;

export type MemoryLimitKind = 'cgroup' | 'sampled' | 'none';

/** A signal some time before the time limit, once and without escalation; none where there is no time limit. */
export interface LimitWarning {
  readonly signal: number;
  /** At the start of the task when this is the time limit or more. */
  readonly beforeMs: number;
  /** To the main process alone; otherwise to the whole group. */
  readonly mainOnly: boolean;
}

export interface ForkerCapabilities {
  /** Double-forked and setsid children die with their task. */
  readonly subreaper: boolean;
  /** The main process of every task dies with the forker, even by SIGKILL. */
  readonly pdeathsig: boolean;
  /** The lease clock counts suspend. */
  readonly boottime: boolean;
  /** Resource use comes from wait4; otherwise it is sampled and 0 for short tasks. */
  readonly exactUsage: boolean;
  /** `cpuMilli` binds tasks to CPUs; otherwise it is ignored. */
  readonly affinity: boolean;
  /** Who holds a task to `memoryBytes`: the kernel, or the forker, which looks 10 times a second; `none`: it is ignored. */
  readonly memory: MemoryLimitKind;
}

export interface RunRequest {
  /** The grant's fence, below 2^53; unique among the runs of one forker. */
  readonly fence: number;
  readonly jobId: number;
  /** Position in the array, 0..size-1. */
  readonly position: number;
  readonly attempt: number;
  /** A block registered with `setEnv`. */
  readonly envId: number;
  /** `NAME=value`; wins over the block. Put `SPAWN_FENCE=<fence>` and `SPAWN_SESSION=<id>` here. Default none. */
  readonly env?: readonly string[];
  /** Program and arguments; the program is looked up in the PATH of the task's own environment. */
  readonly argv: readonly string[];
  /** Absolute. */
  readonly cwd: string;
  /** A file to read from; relative to `cwd`. Default /dev/null. */
  readonly stdin?: string;
  /** From the start of the process; default and 0: none. */
  readonly timeLimitMs?: number;
  /** Between TERM and KILL when the time limit ends the task. */
  readonly graceMs: number;
  /** Both streams together: the first and the last half are kept. 0 discards all output. */
  readonly logCapBytes: number;
  /** Default: the umask the worker has. */
  readonly umask?: number;
  /**
   * Thousandths of a CPU. The task is bound to as many whole CPUs as this needs (at least one), to those among the forker's own
   * with the least bound load. Default and 0: not bound.
   */
  readonly cpuMilli?: number;
  /** All processes of the task together; beyond it the task is killed with the cause `memory`. Default and 0: no limit. */
  readonly memoryBytes?: number;
  /**
   * A file that gets a copy of the standard output, besides the log and whatever `logCapBytes`; relative to `cwd`. Missing folders are made. When
   * it cannot be opened the run fails in the step `output`; when it cannot be written any more the copy ends there, the log says so, and
   * the task goes on.
   */
  readonly outputPath?: string;
  /** The same for standard error; the same path as `outputPath` is one file. */
  readonly errorPath?: string;
  /** Both files are written on at their end; default: they are emptied first. */
  readonly append?: boolean;
  readonly warning?: LimitWarning;
  /**
   * Waits in the forker until fewer than `width` tasks of the same queue live; tasks of one queue should need equal
   * resources. Default: starts at once. `id` > 0.
   */
  readonly queue?: { readonly id: number; readonly width: number };
}

/** A place in `<logDir>/<jobId>/<sessionTag>-<segment>.seg`; segment 0 means that there is no log. */
export interface LogPosition {
  readonly segment: number;
  readonly offset: number;
}

export interface TaskStarted {
  readonly fence: number;
  /** Also the id of its process group and session. */
  readonly pid: number;
  /** Where its records begin at the earliest. */
  readonly log: LogPosition;
}

export interface TaskEnded {
  readonly fence: number;
  readonly pid: number;
  readonly end:
    | { readonly kind: 'exited'; readonly code: number }
    | { readonly kind: 'signalled'; readonly signal: number; readonly core: boolean };
  /** The first reason the forker had to kill it; a task may still exit 0 after TERM. */
  readonly cause: KillCause;
  /** From exec to the end of the main process without the time it was suspended, on a clock that does not count a sleep of the machine. */
  readonly wallUs: number;
  readonly userUs: number;
  readonly systemUs: number;
  /** Peak of the main process and its waited-for children. */
  readonly maxRssKb: number;
  /** False: the three figures above are samples (Node fallback). */
  readonly exactUsage: boolean;
  readonly logStart: LogPosition;
  readonly logEnd: LogPosition;
  readonly keptStdoutBytes: number;
  readonly keptStderrBytes: number;
  /** Cut out of the middle by `logCapBytes`. */
  readonly droppedBytes: number;
  /** Not written because the log file could not be written (disk full, I/O error). */
  readonly lostBytes: number;
  /** Missing in `outputPath` and `errorPath`, because they could not be written any more. */
  readonly copyLostBytes: number;
}

export interface TaskSpawnFailed {
  readonly fence: number;
  readonly step: SpawnStep;
  readonly errno: number;
  /** For example `ENOENT`. */
  readonly errorName: string;
}

export interface RunRefused {
  readonly fence: number;
  readonly reason: RefusedReason;
}

export interface LeaseExpired {
  /** Tasks that are being killed; each still reports its end. */
  readonly killing: number;
  /** Queued runs that were refused (each with its own RunRefused before this). */
  readonly refused: number;
}

export interface ForkerExit {
  /** True after `quit` or `close`. */
  readonly expected: boolean;
  readonly code: number | null;
  readonly signal: string | null;
  /** Runs that never got an answer, or started and never reported an end. */
  readonly unfinished: readonly { readonly fence: number; readonly pid: number | null }[];
  /** The last lines of the forker's stderr, for a message. */
  readonly stderr: string;
}

/** Called from the event loop in the order things happened. Every run gets exactly one of the first sequences. */
export interface ForkerCallbacks {
  readonly onStarted: (event: TaskStarted) => void;
  readonly onEnded: (event: TaskEnded) => void;
  readonly onSpawnFailed: (event: TaskSpawnFailed) => void;
  readonly onRefused: (event: RunRefused) => void;
  readonly onLeaseExpired?: (event: LeaseExpired) => void;
  /** All events of a read have been given; a place to act once for many. */
  readonly onBatchEnd?: () => void;
  /** Last callback. Unless expected: start a new forker with a new tag and report the unfinished attempts lost. */
  readonly onExit: (exit: ForkerExit) => void;
}

export interface ForkerOptions {
  /** Default: native when it is built for this platform, else node. `SPAWN_FORKER=node|native` in the environment decides before this. */
  readonly kind?: ForkerKind;
  /** Absolute; exists, mode 0700. */
  readonly logDir: string;
  /** Unique per forker start, [A-Za-z0-9_-]{1,64}: no two forkers ever write the same file. */
  readonly sessionTag: string;
  /** A segment is closed once it is at least this long. Default 64 MiB. */
  readonly maxSegmentBytes?: number;
  readonly callbacks: ForkerCallbacks;
}

/**
 * What `startForker(options): Promise<Forker>` gives (resolves after READY, rejects with INTERNAL when it cannot be started). Every
 * method only sends; commands of one tick go out in one write, in order. After the exit all are no-ops.
 */
export interface Forker {
  readonly kind: ForkerKind;
  readonly capabilities: ForkerCapabilities;
  readonly pid: number;
  /** Fences sent and not yet answered with an end, a failure or a refusal. */
  readonly unfinishedCount: number;

  /** Registers `NAME=value` strings under a number; replaces an older block. */
  setEnv(envId: number, env: readonly string[]): void;
  dropEnv(envId: number): void;
  /** Where logs go from now on. Again, with another tag, only when another session takes the forker over. */
  openLogs(logDir: string, sessionTag: string, maxSegmentBytes?: number): void;
  /** Closes the job's current segment file, so that its directory can be deleted. */
  forgetJob(jobId: number): void;
  run(request: RunRequest): void;
  /** TERM to the whole group, KILL after the grace; 0 kills at once. Unknown and ended fences are ignored. */
  kill(fence: number, cause: 'cancel' | 'timeLimit' | 'lease' | 'shutdown', graceMs: number): void;
  /** Takes back a run that still waits in its queue: it is refused as withdrawn. One that has started goes on. */
  withdraw(fence: number): void;
  /** A signal to the whole group, or to the main process alone, without escalation. */
  signal(fence: number, signal: number, mainOnly: boolean): void;
  /**
   * All processes of a task that has started stand still until they are told to go on, and the clock of its time limit with them; a kill lets
   * them go on. Whoever is being killed is left alone.
   */
  suspend(fence: number, on: boolean): void;
  /**
   * Another time limit, from the start of the process; 0: none. One that has passed already ends the task now, with its grace. A task that is
   * being killed is left alone.
   */
  limit(fence: number, timeLimitMs: number): void;
  /**
   * Everything is killed `ms` from now unless called again before.
   * @param clock default boottime, which counts suspend where capabilities.boottime
   * @param graceMs between TERM and KILL when it expires: keep `ms + graceMs` inside the lease.
   */
  lease(ms: number, graceMs: number, clock?: LeaseClock): void;
  /** Refuses new runs and exits when nothing runs. */
  quit(): void;
  /** Kills everything at once and ends the forker; resolves after onExit. */
  close(): Promise<void>;
}
