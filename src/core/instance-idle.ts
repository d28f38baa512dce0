/** Counters of an instance that only grow, and who is logged in now. */
export interface ActivityReading {
  readonly cpuUs: number;
  readonly diskBytes: number;
  /** Undefined where there is no counter. */
  readonly networkBytes: number | undefined;
  readonly logins: number;
}

/** How long an instance has been idle, as of the last reading. All ms on one clock. */
export interface Idleness {
  readonly lastMs: number;
  readonly last: ActivityReading;
  /** Last moment at which it was not idle. */
  readonly activeMs: number;
  /** Of one CPU, between the last two readings; undefined after the first. */
  readonly cpuPercent: number | undefined;
  /** Disk and network, a minute. */
  readonly bytesPerMinute: number;
}

/** Bytes of disk, and of network, that a machine on which nobody works still moves in a minute (logs, clocks, this program). */
const NOISE_BYTES_PER_MINUTE = 100_000;
/** In a short time one write of a few pages is no work either. */
const LEAST_NOISE_BYTES = 16_384;

/** The first reading counts as active: nothing is known of the time before. */
export function firstReading(reading: ActivityReading, nowMs: number): Idleness {
  return { lastMs: nowMs, last: reading, activeMs: nowMs, cpuPercent: undefined, bytesPerMinute: 0 };
}

/**
 * The next reading. It was active in between when it used more of one CPU than `cpuPercent`, moved more bytes than noise, or somebody is logged in.
 */
export function nextReading(before: Idleness, reading: ActivityReading, cpuPercent: number, nowMs: number): Idleness {
  const passedMs = Math.max(1, nowMs - before.lastMs);
  const used = ((reading.cpuUs - before.last.cpuUs) / 1_000 / passedMs) * 100;
  const disk = reading.diskBytes - before.last.diskBytes;
  const network = networkBetween(before.last, reading);
  const noise = Math.max(LEAST_NOISE_BYTES, (NOISE_BYTES_PER_MINUTE * passedMs) / 60_000);
  const isActive = used >= cpuPercent || disk > noise || network > noise || reading.logins > 0;
  return {
    lastMs: nowMs,
    last: reading,
    activeMs: isActive ? nowMs : before.activeMs,
    // Counters of processes that ended between two looks may be missing for a moment.
    cpuPercent: Math.max(0, used),
    bytesPerMinute: Math.max(0, ((disk + network) * 60_000) / passedMs),
  };
}

function networkBetween({ networkBytes: before }: ActivityReading, { networkBytes: now }: ActivityReading): number {
  return before === undefined || now === undefined ? 0 : now - before;
}

/** As of the last reading. */
export function idleMs({ lastMs, activeMs }: Idleness): number {
  return lastMs - activeMs;
}

/** How long after a reading the next is worth its cost: often only where the end of the timeout is near. `timeoutMs` 0: never idle. */
export function readingPauseMs(timeoutMs: number, idleForMs: number): number {
  if (timeoutMs === 0) return MOST_PAUSE_MS;
  const usual = Math.min(MOST_PAUSE_MS, Math.max(LEAST_PAUSE_MS, timeoutMs / 10));
  return Math.max(LEAST_PAUSE_MS, Math.min(usual, timeoutMs - idleForMs));
}

const LEAST_PAUSE_MS = 500;
const MOST_PAUSE_MS = 30_000;
