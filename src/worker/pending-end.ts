import { NOTHING_MEASURED } from '../core/end-chunk.ts';
import { encodeOutcome, type Outcome } from '../core/outcome.ts';
import type { LogPosition, TaskEnded } from './forker/types.ts';
import type { PendingEnd } from './outbox.ts';

/** Segment numbers on the wire: `life * 65536 + segment`, so that the forkers of one session do not meet. */
const SEGMENTS_OF_A_LIFE = 65_536;

/** Where a log begins, as it is reported. @param life which forker of the session wrote it */
export function logStart(life: number, { segment, offset }: LogPosition): { logSegment: number; logOffset: number } {
  return { logSegment: segment === 0 ? 0 : life * SEGMENTS_OF_A_LIFE + segment, logOffset: offset };
}

/** How an attempt ended, as it is reported. */
export function pendingEnd(life: number, outcome: Outcome, event: TaskEnded): PendingEnd {
  const end = logStart(life, event.logEnd);
  return {
    fence: event.fence,
    outcome: encodeOutcome(outcome),
    wallUs: event.wallUs,
    cpuUs: event.userUs + event.systemUs,
    maxRssKb: event.maxRssKb,
    ...logStart(life, event.logStart),
    logEndSegment: end.logSegment,
    logEndOffset: end.logOffset,
    outBytes: event.keptStdoutBytes,
    errBytes: event.keptStderrBytes,
    cutBytes: event.droppedBytes,
    missingBytes: event.lostBytes,
    resultSegment: 0,
    resultOffset: 0,
    resultBytes: 0,
  };
}

/** The same of an attempt of which no process ended here. */
export function endWithoutProcess(life: number, outcome: Outcome, fence: number, log?: LogPosition): PendingEnd {
  const start = logStart(life, log ?? { segment: 0, offset: 0 });
  return { ...NOTHING_MEASURED, fence, outcome: encodeOutcome(outcome), ...start };
}
