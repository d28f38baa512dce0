import { uptime } from 'node:os';
import { bootId } from '../../client/node/process-identity.ts';

/** Moments of this machine. */
export interface InstanceClock {
  /** Nobody sets it, and it counts suspend; of all processes since the same start of the system. */
  bootMs(): number;
  /** Survives a new start of the system. */
  wallMs(): number;
  readonly bootId: string;
}

/** How far the coarse clock may be from the fine one before the difference is taken for a suspend. */
const COARSE_MS = 1_500;
/** The coarse one is read from a file: no more often than this. Nothing is suspended unseen for longer. */
const READ_EVERY_MS = 50;

/**
 * The clocks of this machine. That which counts suspend is coarse: its milliseconds are those of the one that does not. Where it has whole seconds only it is
 * taken to be behind, for nothing may end early.
 */
export function machineClock(): InstanceClock {
  let suspendedMs = 0;
  let readAtMs = Number.NEGATIVE_INFINITY;
  return {
    bootId: bootId(),
    wallMs: () => Date.now(),
    bootMs() {
      const fineMs = Number(process.hrtime.bigint() / 1_000n) / 1_000;
      if (fineMs - readAtMs < READ_EVERY_MS) return fineMs + suspendedMs;
      readAtMs = fineMs;
      const apartMs = uptime() * 1_000 - fineMs;
      if (Math.abs(apartMs - suspendedMs) > COARSE_MS) suspendedMs = apartMs;
      return fineMs + suspendedMs;
    },
  };
}
