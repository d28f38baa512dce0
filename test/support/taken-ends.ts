import type { Ends, FenceRun } from '../../src/api/session.ts';

/** One end as the coordinator took it. */
export interface TakenEnd {
  fence: number;
  outcome: number;
  wallUs: number;
  cpuUs: number;
  maxRssKb: number;
  logSegment: number;
  logEndSegment: number;
  logEndOffset: number;
  outBytes: number;
  errBytes: number;
  resultSegment: number;
  resultOffset: number;
  resultBytes: number;
}

/** Every fence of some runs. */
export function* expand(runs: readonly FenceRun[]): Generator<number> {
  for (const [base, count] of runs) for (let i = 0; i < count; i++) yield base + i;
}

/** Columns as rows. */
export function rowsOf(ends: Ends): TakenEnd[] {
  return [...expand(ends.runs)].map((fence, i) => ({
    fence,
    outcome: ends.outcome?.[i] ?? 0,
    wallUs: ends.wallUs?.[i] ?? 0,
    cpuUs: ends.cpuUs?.[i] ?? 0,
    maxRssKb: ends.maxRssKb?.[i] ?? 0,
    logSegment: ends.logSegment?.[i] ?? 0,
    logEndSegment: ends.logEndSegment?.[i] ?? 0,
    logEndOffset: ends.logEndOffset?.[i] ?? 0,
    outBytes: ends.outBytes?.[i] ?? 0,
    errBytes: ends.errBytes?.[i] ?? 0,
    resultSegment: ends.resultSegment?.[i] ?? 0,
    resultOffset: ends.resultOffset?.[i] ?? 0,
    resultBytes: ends.resultBytes?.[i] ?? 0,
  }));
}
