/** Whether time in which an instance is stopped or hibernated counts to its TTL (`wall`) or not (`running`). */
export type TtlMode = 'running' | 'wall';

/** The time of one instance up to a moment; never changed, replaced by the next. All ms. */
export interface InstanceTime {
  /** The moment, on a clock that nobody sets and that counts suspend. */
  readonly atMs: number;
  readonly runs: boolean;
  /** In which it ran, over all its starts. */
  readonly ranMs: number;
  /** Until its TTL is over; undefined: none. */
  readonly ttlLeftMs: number | undefined;
  /** What was left when the deadline was last moved: a warning comes when a tenth of it is left. */
  readonly ttlSpanMs: number;
}

/** @param ttlMs 0: none */
export function startTime(atMs: number, ttlMs: number): InstanceTime {
  return { atMs, runs: false, ranMs: 0, ttlLeftMs: ttlMs === 0 ? undefined : ttlMs, ttlSpanMs: ttlMs };
}

/** The same later. A clock that went back is taken to stand still. */
export function passTime(time: InstanceTime, mode: TtlMode, nowMs: number): InstanceTime {
  const passed = Math.max(0, nowMs - time.atMs);
  const counts = time.runs || mode === 'wall';
  return {
    ...time,
    atMs: Math.max(time.atMs, nowMs),
    ranMs: time.ranMs + (time.runs ? passed : 0),
    ttlLeftMs: time.ttlLeftMs === undefined ? undefined : time.ttlLeftMs - (counts ? passed : 0),
  };
}

/** It begins or stops to run, at the moment of `time`. */
export function setRunning(time: InstanceTime, runs: boolean): InstanceTime {
  return { ...time, runs };
}

/** The one deadline is so long from the moment of `time` now; undefined: there is none. */
export function moveDeadline(time: InstanceTime, ttlLeftMs: number | undefined): InstanceTime {
  return { ...time, ttlLeftMs, ttlSpanMs: ttlLeftMs ?? 0 };
}
