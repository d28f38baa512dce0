/** What a forecast goes by. */
export interface Progress {
  /** Tasks that have not ended. */
  readonly left: number;
  /** Tasks that run or are about to. */
  readonly running: number;
  /** Smoothed duration of an attempt, microseconds; 0 = not known. */
  readonly meanWallUs: number;
  /** Tasks that ended in the last minute, a second; undefined before the first. */
  readonly perSecond: number | undefined;
}

/** Of tasks longer than this too few end in a minute for their number to say anything, microseconds. */
const LONG_US = 15_000_000;

/**
 * Ms until the last task has ended if it goes on like this; undefined when nothing is known of how fast it goes, or nothing runs.
 * Short tasks go by how many ended in the last minute, long ones by their duration and how many run at once.
 */
export function remainingMs({ left, running, meanWallUs, perSecond = 0 }: Progress): number | undefined {
  if (left === 0) return 0;
  if (running === 0) return undefined;
  const rate = perSecond > 0 && (meanWallUs === 0 || meanWallUs < LONG_US) ? perSecond : (running * 1e6) / meanWallUs;
  return Number.isFinite(rate) ? Math.round((left / rate) * 1000) : undefined;
}
