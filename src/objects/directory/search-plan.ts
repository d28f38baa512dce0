import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type EndRecord, unpackEnds } from '../../core/end-chunk.ts';
import { MAX_INDEX, parseIndexSet } from '../../core/index-set.ts';
import { segmentFileName } from '../../core/log-record.ts';
import { decodeOutcome } from '../../core/outcome.ts';
import type { RunningAttempt } from '../log-reader.ts';
import type { Piece, WhichLogs } from './search-calls.ts';
import { hasLog, SEQUENCES } from './segment-cursor.ts';

/** One attempt to look at. `toSegment` 0: its end is not known. */
export interface Attempt extends RunningAttempt {
  readonly group: number;
  readonly toSegment: number;
  readonly toOffset: number;
  readonly bytes: number;
}

/** The last attempt of each wanted task, by position. */
export function lastAttempts({ wanted, ends, running }: WhichLogs): Attempt[] {
  const last = new Map<number, Attempt>();
  for (const { data, lengths } of ends) {
    let from = 0;
    for (const length of lengths) {
      for (const end of unpackEnds(data.subarray(from, from + length))) {
        const { position, attempt } = end;
        if (wanted[position] === 0 || (last.get(position)?.attempt ?? 0) > attempt) continue;
        last.set(position, ofEnd(end, wanted[position]!));
      }
      from += length;
    }
  }
  for (const runs of running) {
    // It may have ended since it was looked at.
    if ((last.get(runs.position)?.attempt ?? 0) >= runs.attempt) continue;
    const group = wanted[runs.position]!;
    if (group > 0) last.set(runs.position, { ...runs, group, toSegment: 0, toOffset: 0, bytes: 0 });
  }
  return [...last.values()];
}

function ofEnd(end: EndRecord, group: number): Attempt {
  const { position, attempt, sessionId, fence, logSegment: fromSegment, logOffset: fromOffset } = end;
  const isLost = decodeOutcome(end.outcome).kind === 'lost';
  return {
    ...{ position, attempt, sessionId, fence, fromSegment, fromOffset, group },
    toSegment: isLost ? 0 : end.logEndSegment,
    toOffset: isLost ? 0 : end.logEndOffset,
    bytes: end.outBytes + end.errBytes,
  };
}

/** Segments of one worker's life and the attempts in them. */
interface Chain {
  readonly sessionId: number;
  readonly life: number;
  readonly attempts: Attempt[];
}

/** The segments that hold these attempts, those of one worker in their order. */
export function planPieces(folder: string, indices: string, attempts: readonly Attempt[]): Piece[] {
  const there = segmentsIn(folder);
  const indexSet = indices === '' ? undefined : parseIndexSet(indices, { dialect: 'wire', maxSize: MAX_INDEX + 1 }).set;
  const indexOf = (position: number) => (indexSet === undefined ? position : indexSet.at(position));
  const chains = new Map<string, Chain>();
  for (const attempt of attempts) {
    if (!hasLog(attempt.fromSegment)) continue;
    const { sessionId } = attempt;
    const life = Math.floor(attempt.fromSegment / SEQUENCES);
    const tag = `${sessionId}-${life}`;
    if (!there.has(tag)) continue;
    const chain = chains.get(tag) ?? { sessionId, life, attempts: [] };
    chain.attempts.push(attempt);
    chains.set(tag, chain);
  }
  const ordered = [...chains].sort(([, a], [, b]) => a.sessionId - b.sessionId || a.life - b.life);
  return ordered.flatMap(([tag, { attempts: own }]) => chainPieces(folder, tag, own, there.get(tag)!, indexOf));
}

function chainPieces(
  folder: string,
  tag: string,
  attempts: readonly Attempt[],
  there: readonly number[],
  indexOf: (position: number) => number,
): Piece[] {
  const inSegment = new Map<number, Attempt[]>(there.map((sequence) => [sequence, []]));
  const newest = there.at(-1)!;
  for (const attempt of attempts) {
    const to = attempt.toSegment === 0 ? newest : attempt.toSegment % SEQUENCES;
    for (let at = attempt.fromSegment % SEQUENCES; at <= to; at++) inSegment.get(at)?.push(attempt);
  }
  let before = -1;
  const pieces: Piece[] = [];
  for (const sequence of there) {
    const own = inSegment.get(sequence)!;
    if (own.length === 0) continue;
    const path = join(folder, segmentFileName(tag, sequence));
    pieces.push(makePiece(path, before === sequence - 1, sequence, own, indexOf));
    before = sequence;
  }
  return pieces;
}

function makePiece(
  path: string,
  follows: boolean,
  sequence: number,
  attempts: Attempt[],
  indexOf: (position: number) => number,
): Piece {
  const rows = attempts.sort((a, b) => a.fence - b.fence);
  const begins = Uint8Array.from(rows, (row) => (row.fromSegment % SEQUENCES === sequence ? 1 : 0));
  const end = Float64Array.from(rows, (row) =>
    row.toSegment !== 0 && row.toSegment % SEQUENCES === sequence ? row.toOffset : Number.POSITIVE_INFINITY,
  );
  return {
    path,
    follows,
    from: rows.reduce((least, row, at) => Math.min(least, begins[at] === 1 ? row.fromOffset : 0), Number.MAX_VALUE),
    to: end.reduce((most, offset) => Math.max(most, offset), 0),
    fence: Float64Array.from(rows, (row) => row.fence),
    index: Float64Array.from(rows, (row) => indexOf(row.position)),
    attempt: Uint32Array.from(rows, (row) => row.attempt),
    group: Uint8Array.from(rows, (row) => row.group),
    begins,
    end,
  };
}

/** `session-life` to the numbers of its segments, ascending. */
function segmentsIn(folder: string): Map<string, number[]> {
  const found = new Map<string, number[]>();
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return found;
    throw error;
  }
  for (const name of names) {
    const parts = /^(\d+-\d+)-(\d+)\.seg$/.exec(name);
    if (parts === null) continue;
    const [, tag, sequence] = parts as unknown as [string, string, string];
    const known = found.get(tag);
    if (known === undefined) found.set(tag, [Number(sequence)]);
    else known.push(Number(sequence));
  }
  for (const sequences of found.values()) sequences.sort((a, b) => a - b);
  return found;
}
