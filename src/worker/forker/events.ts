import { CAUSES, Capability, EndFlag, EndHow, Event, KINDS, PROTOCOL_VERSION, REFUSALS, STEPS } from './protocol.ts';
import type {
  ForkerCapabilities,
  ForkerKind,
  LeaseExpired,
  MemoryLimitKind,
  RunRefused,
  SpawnStep,
  TaskEnded,
  TaskSpawnFailed,
  TaskStarted,
} from './types.ts';
import { type FrameReader, type FrameWriter, ProtocolError } from './wire.ts';

export interface ForkerReady {
  readonly version: number;
  readonly kind: ForkerKind;
  readonly capabilities: ForkerCapabilities;
  readonly pid: number;
}

/** A failure as it travels; its name is looked up where it is shown. */
export type SpawnFailure = Omit<TaskSpawnFailed, 'errorName'>;

function codeIn<T>(values: readonly T[], code: number): T {
  const value = values[code];
  if (value === undefined || value === '') throw new ProtocolError(`unknown code ${code}`);
  return value;
}

export function writeReady(to: FrameWriter, kind: ForkerKind, capabilities: number, pid: number): void {
  to.begin(Event.READY).u16(PROTOCOL_VERSION).u8(KINDS.indexOf(kind)).u32(capabilities).u32(pid).end();
}

function memoryLimitOf(bits: number): MemoryLimitKind {
  if ((bits & Capability.MEMORY_CGROUP) !== 0) return 'cgroup';
  return (bits & Capability.MEMORY_SAMPLED) !== 0 ? 'sampled' : 'none';
}

export function readReady(from: FrameReader): ForkerReady {
  const version = from.u16();
  const kind = codeIn(KINDS, from.u8()) as ForkerKind;
  const bits = from.u32();
  const capabilities: ForkerCapabilities = {
    subreaper: (bits & Capability.SUBREAPER) !== 0,
    pdeathsig: (bits & Capability.PDEATHSIG) !== 0,
    boottime: (bits & Capability.BOOTTIME) !== 0,
    exactUsage: (bits & Capability.EXACT_USAGE) !== 0,
    affinity: (bits & Capability.AFFINITY) !== 0,
    memory: memoryLimitOf(bits),
  };
  return { version, kind, capabilities, pid: from.u32() };
}

export function writeStarted(to: FrameWriter, event: TaskStarted): void {
  to.begin(Event.STARTED).u64(event.fence).u32(event.pid).u32(event.log.segment).u64(event.log.offset).end();
}

export function readStarted(from: FrameReader): TaskStarted {
  return { fence: from.u64(), pid: from.u32(), log: { segment: from.u32(), offset: from.u64() } };
}

export function writeEnded(to: FrameWriter, event: TaskEnded): void {
  const { end } = event;
  const flags =
    (event.droppedBytes > 0 ? EndFlag.CUT : 0) |
    (event.lostBytes > 0 ? EndFlag.LOST : 0) |
    (event.exactUsage ? EndFlag.EXACT_USAGE : 0);
  to.begin(Event.ENDED).u64(event.fence).u32(event.pid);
  if (end.kind === 'exited') to.u8(EndHow.EXITED).u8(end.code).u8(0);
  else
    to.u8(EndHow.SIGNALLED)
      .u8(end.signal)
      .u8(end.core ? 1 : 0);
  to.u8(CAUSES.indexOf(event.cause)).u32(flags);
  to.u64(event.wallUs).u64(event.userUs).u64(event.systemUs).u64(event.maxRssKb);
  to.u32(event.logStart.segment).u64(event.logStart.offset).u32(event.logEnd.segment).u64(event.logEnd.offset);
  to.u64(event.keptStdoutBytes).u64(event.keptStderrBytes).u64(event.droppedBytes).u64(event.lostBytes);
  to.u64(event.copyLostBytes).end();
}

export function readEnded(from: FrameReader): TaskEnded {
  const fence = from.u64();
  const pid = from.u32();
  const how = from.u8();
  const value = from.u8();
  const core = from.u8() !== 0;
  if (how !== EndHow.EXITED && how !== EndHow.SIGNALLED) throw new ProtocolError(`unknown code ${how}`);
  const cause = codeIn(CAUSES, from.u8());
  const exactUsage = (from.u32() & EndFlag.EXACT_USAGE) !== 0;
  return {
    fence,
    pid,
    end: how === EndHow.EXITED ? { kind: 'exited', code: value } : { kind: 'signalled', signal: value, core },
    cause,
    wallUs: from.u64(),
    userUs: from.u64(),
    systemUs: from.u64(),
    maxRssKb: from.u64(),
    exactUsage,
    logStart: { segment: from.u32(), offset: from.u64() },
    logEnd: { segment: from.u32(), offset: from.u64() },
    keptStdoutBytes: from.u64(),
    keptStderrBytes: from.u64(),
    droppedBytes: from.u64(),
    lostBytes: from.u64(),
    copyLostBytes: from.u64(),
  };
}

export function writeSpawnFailed(to: FrameWriter, event: SpawnFailure): void {
  to.begin(Event.SPAWN_FAILED).u64(event.fence).u8(STEPS.indexOf(event.step)).u32(event.errno).end();
}

export function readSpawnFailed(from: FrameReader): SpawnFailure {
  return { fence: from.u64(), step: codeIn(STEPS, from.u8()) as SpawnStep, errno: from.u32() };
}

export function writeRefused(to: FrameWriter, event: RunRefused): void {
  to.begin(Event.REFUSED).u64(event.fence).u8(REFUSALS.indexOf(event.reason)).end();
}

export function readRefused(from: FrameReader): RunRefused {
  return { fence: from.u64(), reason: codeIn(REFUSALS, from.u8()) as RunRefused['reason'] };
}

export function writeLeaseExpired(to: FrameWriter, event: LeaseExpired): void {
  to.begin(Event.LEASE_EXPIRED).u32(event.killing).u32(event.refused).end();
}

export function readLeaseExpired(from: FrameReader): LeaseExpired {
  return { killing: from.u32(), refused: from.u32() };
}
