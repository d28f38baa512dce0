import { CAUSES, CLOCKS, Command, RunFlag, SIGNAL_MAIN_ONLY, UMASK_INHERIT } from './protocol.ts';
import type { KillCause, LeaseClock, LimitWarning, RunRequest } from './types.ts';
import { type FrameReader, type FrameWriter, ProtocolError } from './wire.ts';

/** A RUN with every field filled in, as it comes out of the wire. */
export interface RunCommand {
  readonly type: typeof Command.RUN;
  readonly fence: number;
  readonly jobId: number;
  readonly position: number;
  readonly attempt: number;
  readonly envId: number;
  readonly queueId: number;
  readonly queueWidth: number;
  readonly timeLimitMs: number;
  readonly graceMs: number;
  readonly logCapBytes: number;
  /** UMASK_INHERIT: as the forker was started with. */
  readonly umask: number;
  readonly cpuMilli: number;
  readonly memoryBytes: number;
  /** Signal 0: none. */
  readonly warning: LimitWarning;
  readonly append: boolean;
  readonly cwd: string;
  /** Empty: /dev/null. */
  readonly stdin: string;
  /** Empty: none; so is the next one. */
  readonly outputPath: string;
  readonly errorPath: string;
  readonly argv: readonly string[];
  readonly env: readonly string[];
}

export type CommandMessage =
  | { readonly type: typeof Command.ENV; readonly envId: number; readonly env: readonly string[] }
  | { readonly type: typeof Command.DROP_ENV; readonly envId: number }
  | {
      readonly type: typeof Command.LOGS;
      readonly maxSegmentBytes: number;
      readonly logDir: string;
      readonly sessionTag: string;
    }
  | { readonly type: typeof Command.FORGET_JOB; readonly jobId: number }
  | RunCommand
  | { readonly type: typeof Command.KILL; readonly fence: number; readonly cause: KillCause; readonly graceMs: number }
  | {
      readonly type: typeof Command.SIGNAL;
      readonly fence: number;
      readonly signal: number;
      readonly mainOnly: boolean;
    }
  | { readonly type: typeof Command.LIMIT; readonly fence: number; readonly timeLimitMs: number }
  | { readonly type: typeof Command.SUSPEND; readonly fence: number; readonly on: boolean }
  | {
      readonly type: typeof Command.LEASE;
      readonly ms: number;
      readonly clock: LeaseClock;
      readonly graceMs: number;
      readonly sentAtUs: number;
    }
  | { readonly type: typeof Command.QUIT };

const NO_ENV: readonly string[] = [];

/** False: too long for one frame, nothing was written. */
export function writeRun(to: FrameWriter, run: RunRequest): boolean {
  return to
    .begin(Command.RUN)
    .u64(run.fence)
    .u32(run.jobId)
    .u32(run.position)
    .u32(run.attempt)
    .u32(run.envId)
    .u32((run.append ? RunFlag.APPEND : 0) | (run.warning?.mainOnly ? RunFlag.WARN_MAIN_ONLY : 0))
    .u32(run.queue?.id ?? 0)
    .u32(run.queue?.width ?? 0)
    .u64(run.timeLimitMs ?? 0)
    .u32(run.graceMs)
    .u64(run.logCapBytes)
    .u32(run.umask ?? UMASK_INHERIT)
    .u32(run.cpuMilli ?? 0)
    .u64(run.memoryBytes ?? 0)
    .u8(run.warning?.signal ?? 0)
    .u64(run.warning?.beforeMs ?? 0)
    .text(run.cwd)
    .text(run.stdin ?? '')
    .text(run.outputPath ?? '')
    .text(run.errorPath ?? '')
    .list(run.argv)
    .list(run.env ?? NO_ENV)
    .end();
}

/** Every command but RUN. False: too long for one frame, nothing was written. */
export function writeCommand(to: FrameWriter, command: Exclude<CommandMessage, RunCommand>): boolean {
  to.begin(command.type);
  switch (command.type) {
    case Command.ENV:
      return to.u32(command.envId).list(command.env).end();
    case Command.DROP_ENV:
      return to.u32(command.envId).end();
    case Command.LOGS:
      return to.u64(command.maxSegmentBytes).text(command.logDir).text(command.sessionTag).end();
    case Command.FORGET_JOB:
      return to.u32(command.jobId).end();
    case Command.KILL:
      return to.u64(command.fence).u8(CAUSES.indexOf(command.cause)).u32(command.graceMs).end();
    case Command.SIGNAL:
      return to
        .u64(command.fence)
        .u8(command.signal + (command.mainOnly ? SIGNAL_MAIN_ONLY : 0))
        .end();
    case Command.LIMIT:
      return to.u64(command.fence).u64(command.timeLimitMs).end();
    case Command.SUSPEND:
      return to.u64(command.fence).u8(Number(command.on)).end();
    case Command.LEASE:
      return to.u64(command.ms).u8(CLOCKS.indexOf(command.clock)).u32(command.graceMs).u64(command.sentAtUs).end();
    case Command.QUIT:
      return to.end();
  }
}

function readRun(from: FrameReader): RunCommand {
  const numbers = {
    fence: from.u64(),
    jobId: from.u32(),
    position: from.u32(),
    attempt: from.u32(),
    envId: from.u32(),
  };
  const flags = from.u32();
  if ((flags & ~(RunFlag.APPEND | RunFlag.WARN_MAIN_ONLY)) !== 0) throw new ProtocolError('unknown flags');
  const run: RunCommand = {
    type: Command.RUN,
    ...numbers,
    queueId: from.u32(),
    queueWidth: from.u32(),
    timeLimitMs: from.u64(),
    graceMs: from.u32(),
    logCapBytes: from.u64(),
    umask: from.u32(),
    cpuMilli: from.u32(),
    memoryBytes: from.u64(),
    warning: { signal: from.u8(), beforeMs: from.u64(), mainOnly: (flags & RunFlag.WARN_MAIN_ONLY) !== 0 },
    append: (flags & RunFlag.APPEND) !== 0,
    cwd: from.text(),
    stdin: from.text(),
    outputPath: from.text(),
    errorPath: from.text(),
    argv: from.list(),
    env: from.list(),
  };
  if (run.argv.length === 0) throw new ProtocolError('no argv');
  return run;
}

function readSignal(from: FrameReader): CommandMessage {
  const [fence, code] = [from.u64(), from.u8()];
  const mainOnly = code >= SIGNAL_MAIN_ONLY;
  return { type: Command.SIGNAL, fence, signal: code - (mainOnly ? SIGNAL_MAIN_ONLY : 0), mainOnly };
}

function readFields(type: number, from: FrameReader): CommandMessage {
  switch (type) {
    case Command.ENV:
      return { type, envId: from.u32(), env: from.list() };
    case Command.DROP_ENV:
      return { type, envId: from.u32() };
    case Command.LOGS:
      return { type, maxSegmentBytes: from.u64(), logDir: from.text(), sessionTag: from.text() };
    case Command.FORGET_JOB:
      return { type, jobId: from.u32() };
    case Command.RUN:
      return readRun(from);
    case Command.KILL:
      return { type, fence: from.u64(), cause: oneOf(CAUSES, from.u8()), graceMs: from.u32() };
    case Command.SIGNAL:
      return readSignal(from);
    case Command.LIMIT:
      return { type, fence: from.u64(), timeLimitMs: from.u64() };
    case Command.SUSPEND:
      return { type, fence: from.u64(), on: from.u8() !== 0 };
    case Command.LEASE:
      return { type, ms: from.u64(), clock: oneOf(CLOCKS, from.u8()), graceMs: from.u32(), sentAtUs: from.u64() };
    case Command.QUIT:
      return { type };
    default:
      throw new ProtocolError(`unknown command ${type}`);
  }
}

function oneOf<T>(values: readonly T[], code: number): T {
  const value = values[code];
  if (value === undefined) throw new ProtocolError(`unknown code ${code}`);
  return value;
}

/** @throws ProtocolError */
export function readCommand(type: number, from: FrameReader): CommandMessage {
  const command = readFields(type, from);
  from.done();
  return command;
}
