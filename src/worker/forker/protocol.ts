/**
 * The one binary protocol between a worker and its forker; `native/forker/protocol.h` repeats these numbers.
 *
 * The worker writes command frames to the forker's stdin and reads event frames from its stdout. All numbers are
 * little endian. A frame is
 *
 *     u32 length    of everything after this field: 1 + payload bytes; 1 .. MAX_FRAME_BYTES
 *     u8  type      a Command or an Event
 *     payload
 *
 * `u64` holds an integer below 2^53. `str` is a u32 byte count and that many bytes, without a terminator; it never
 * contains a NUL byte. `list` is a u32 count and that many `str`. A malformed frame is a bug of the peer: the forker
 * kills every task and exits with EXIT_PROTOCOL.
 *
 * Commands
 *
 *     ENV           u32 envId, list "NAME=value"          replaces a block of the same id; runs that use it keep the old
 *     DROP_ENV      u32 envId
 *     LOGS          u64 maxSegmentBytes, str directory (absolute, exists), str sessionTag ([A-Za-z0-9_-]{1,64});
 *                                                       again, with another tag, when another session takes the forker over
 *     FORGET_JOB    u32 jobId                             closes its segment, so that its files can be deleted
 *     RUN           u64 fence, u32 jobId, u32 position, u32 attempt, u32 envId, u32 RunFlag bits, u32 queueId,
 *                   u32 queueWidth, u64 timeLimitMs (0 = none), u32 graceMs, u64 logCapBytes (0 = discard),
 *                   u32 umask (UMASK_INHERIT = the worker's), u32 cpuMilli (0 = not bound), u64 memoryBytes (0 = no limit),
 *                   u8 warning signal (0 = none), u64 warning beforeMs, str cwd (absolute), str stdin ("" = /dev/null),
 *                   str outputPath, str errorPath ("" = none), list argv (at least one), list extra env
 *     KILL          u64 fence, u8 KillCause, u32 graceMs  TERM to the group, KILL after the grace; 0 = KILL at once
 *     SIGNAL        u64 fence, u8 signal number           to the whole group, no escalation; number + SIGNAL_MAIN_ONLY: to the main process
 *     LIMIT         u64 fence, u64 timeLimitMs            from the start of the process; 0 = none
 *     SUSPEND       u64 fence, u8 1 or 0                  all its processes stand still, and its time limit with them; 0: they go on
 *     LEASE         u64 ms from sentAtUs, u8 LeaseClock, u32 graceMs, u64 sentAtUs (CLOCK_MONOTONIC; 0 = now)
 *     QUIT          -                                     refuse new runs, exit 0 when nothing runs
 *     end of input  KILL every group and every orphan at once, report what still can be reported, exit 0
 *
 * A RUN with queueId 0 starts at once. Otherwise it starts as soon as fewer than queueWidth tasks with the same
 * queueId live, in order of arrival: work sent ahead keeps short tasks going without a round trip to the worker. A KILL
 * that finds its task still queued withdraws it (REFUSED, WITHDRAWN); one with cause 0 does only that, and leaves alone what
 * has started.
 *
 * Every RUN is answered by exactly one of: STARTED then ENDED; SPAWN_FAILED; REFUSED.
 *
 * The lease: from the first LEASE on, the forker kills everything by itself when the deadline passes (cause LEASE, grace
 * of that command), answers with one LEASE_EXPIRED and refuses every RUN until the next LEASE. `sentAtUs` keeps a
 * message that was stuck in the pipe from prolonging the lease. Without any LEASE there is no deadline. A native forker that
 * is stuck itself (stopped, or starting a program from a file system that does not answer) is killed by the kernel a second
 * after the grace, and its tasks' main processes with it.
 *
 * Extra env overrides the block: a name in both has the extra value. PID_ENTRY among it gets the number of the task's process from a native forker. The worker puts `SPAWN_FENCE=<fence>` (the orphan
 * scan of the forker attributes processes by it) and `SPAWN_SESSION=<id>` (killLeftovers finds them by it) there.
 *
 * Events
 *
 *     READY         u16 PROTOCOL_VERSION, u8 ForkerKind number, u32 Capability bits, u32 pid of the forker
 *     STARTED       u64 fence, u32 pid (also its process group and session), u32 segment, u64 offset
 *     ENDED         u64 fence, u32 pid, u8 EndHow, u8 code or signal, u8 core dumped, u8 KillCause (0 = none),
 *                   u32 EndFlag bits, u64 wallUs, u64 userUs, u64 systemUs, u64 maxRssKb, u32 startSegment,
 *                   u64 startOffset, u32 endSegment, u64 endOffset, u64 keptStdout, u64 keptStderr, u64 dropped, u64 lost,
 *                   u64 copyLost
 *     SPAWN_FAILED  u64 fence, u8 SpawnStep, u32 errno
 *     REFUSED       u64 fence, u8 RefusedReason
 *     LEASE_EXPIRED u32 tasks being killed, u32 queued runs refused
 *
 * Log positions are (segment, offset) in `<directory>/<jobId>/<sessionTag>-<segment>.seg`; segments of a job count from 1
 * without gaps inside one forker life. The bytes of an attempt lie between its start and end position, among records of
 * other attempts (core/log-record.ts). Segment 0 means that the attempt has no log (logCapBytes 0, or no LOGS yet).
 */
export const PROTOCOL_VERSION = 2;

/** Longer frames are refused by both sides. */
export const MAX_FRAME_BYTES = 32 * 1024 * 1024;

/** The umask value that leaves the task with the umask the forker was started with. */
export const UMASK_INHERIT = 0xffff_ffff;

/** Exit code of a forker that read a malformed frame. */
export const EXIT_PROTOCOL = 3;

export const Command = {
  ENV: 1,
  DROP_ENV: 2,
  LOGS: 3,
  FORGET_JOB: 4,
  RUN: 5,
  KILL: 6,
  SIGNAL: 7,
  LEASE: 8,
  QUIT: 9,
  LIMIT: 10,
  SUSPEND: 11,
} as const;
export type Command = (typeof Command)[keyof typeof Command];

export const Event = {
  READY: 1,
  STARTED: 2,
  ENDED: 3,
  SPAWN_FAILED: 4,
  REFUSED: 5,
  LEASE_EXPIRED: 6,
} as const;
export type Event = (typeof Event)[keyof typeof Event];

/** Bits of READY. */
export const Capability = {
  /** Orphans of a task (double fork, setsid) come to the forker and are killed with the task. */
  SUBREAPER: 1,
  /** The main process of every task dies with the forker, however that ends. */
  PDEATHSIG: 2,
  /** The lease clock counts suspend. */
  BOOTTIME: 4,
  /** User, system time and peak memory come from wait4 for every task; otherwise they are samples, 0 for short tasks. */
  EXACT_USAGE: 8,
  /** Tasks are bound to CPUs. */
  AFFINITY: 16,
  /** Memory limits are kept by the kernel. */
  MEMORY_CGROUP: 32,
  /** Memory limits are kept by looking now and then. */
  MEMORY_SAMPLED: 64,
} as const;

/** Bits of RUN. */
export const RunFlag = {
  /** The output files are appended to. */
  APPEND: 1,
  /** The warning goes to the main process alone. */
  WARN_MAIN_ONLY: 2,
} as const;

/** Added to a signal number. A forker of before knows no such signal, and does nothing. */
export const SIGNAL_MAIN_ONLY = 128;

/** An extra variable that the native forker gives the number of the process; the other one leaves it out. */
export const PID_VARIABLE = 'SLURM_TASK_PID=';
/** With the room that it needs. */
export const PID_ENTRY = `${PID_VARIABLE}${'0'.repeat(10)}`;

/** Codes on the wire; index = code. */
export const KINDS = ['', 'native', 'node'] as const;
export const CAUSES = ['none', 'cancel', 'timeLimit', 'lease', 'shutdown', 'memory'] as const;
export const CLOCKS = ['boottime', 'monotonic'] as const;
export const STEPS = ['', 'cwd', 'exec', 'fork', 'pipe', 'stdin', 'output'] as const;
export const REFUSALS = ['', 'lease', 'quitting', 'backlog', 'unknownEnv', 'duplicateFence', 'withdrawn'] as const;

export const EndHow = { EXITED: 0, SIGNALLED: 1 } as const;

/** Bits of ENDED. */
export const EndFlag = {
  /** The log cap cut bytes out of the middle (`dropped` > 0). */
  CUT: 1,
  /** Bytes could not be written (`lost` > 0). */
  LOST: 2,
  /** User, system time and peak memory are exact. */
  EXACT_USAGE: 4,
} as const;
