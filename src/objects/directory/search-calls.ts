import type { LogDiffQuery, LogDiffReply } from '../../api/insight.ts';
import type { LogSearch, SearchedLogs } from '../log-reader.ts';

/** A line is searched and compared as far as this. */
export const MAX_LINE_BYTES = 1024 * 1024;

export type Streams = LogSearch['streams'];

export interface WhichLogs extends SearchedLogs {
  /** The folder of the job. */
  readonly folder: string;
}

/** One segment, and the attempts in it that are looked at: row by row, ascending by fence. */
export interface Piece {
  readonly path: string;
  /** The piece before it is the segment before this one. */
  readonly follows: boolean;
  /** Bytes of the segment to look at; both are between records. */
  readonly from: number;
  readonly to: number;
  readonly fence: Float64Array;
  readonly index: Float64Array;
  readonly attempt: Uint32Array;
  readonly group: Uint8Array;
  /** 1: its records begin here, and not in a segment before. */
  readonly begins: Uint8Array;
  /** Where in this segment its records end; infinite when they do not. */
  readonly end: Float64Array;
}

/** Part of a line whose rest is in another segment. */
export interface Fragment {
  readonly fence: number;
  readonly index: number;
  readonly attempt: number;
  readonly group: number;
  /** 0 stdout, 1 stderr. */
  readonly stream: number;
  readonly bytes: Uint8Array;
  /** What ends the line here, if anything does; before a gap there may be no line at all. */
  readonly ends: 'newline' | 'gap' | undefined;
}

/** What a segment has of lines that reach over its ends. */
export interface LooseEnds {
  /** First bytes of attempts that began in an earlier segment. */
  readonly heads: readonly Fragment[];
  /** Last bytes of attempts that go on in the next one. */
  readonly tails: readonly Fragment[];
}

export interface SearchCalls {
  plan: { call: { which: WhichLogs }; reply: readonly Piece[] };
  grep: { call: LogSearch & { piece: Piece }; reply: LooseEnds };
  /** Lines put together from several segments. */
  grepLines: { call: LogSearch & { lines: readonly Fragment[] }; reply: undefined };
  /** Group 1 failed, group 2 completed. */
  diff: { call: { which: WhichLogs; query: LogDiffQuery; jobId: number }; reply: LogDiffReply };
}
export type SearchKind = keyof SearchCalls;

export interface SearchRequest {
  readonly kind: SearchKind;
  readonly call: SearchCalls[SearchKind]['call'];
}

export type SearchMessage =
  /** Found lines: each is acknowledged by adding 1 to Control.taken. */
  | { readonly kind: 'found'; readonly bytes: Uint8Array; readonly lines: number }
  | { readonly kind: 'done'; readonly value: unknown }
  /** `isBadPattern`: the pattern compiles, and yet cannot be run. */
  | { readonly kind: 'failed'; readonly why: string; readonly isBadPattern: boolean };

/** Words of the memory that a thread shares with whoever runs it. */
export const Control = {
  /** Messages `found` that were taken: a thread that is ahead of it by MOST_AHEAD waits. */
  taken: 0,
  /** 1: give up. */
  cancelled: 1,
  /** Odd while one block of lines is matched, and another number for each block. */
  block: 2,
} as const;
export const CONTROL_WORDS = 3;
export const MOST_AHEAD = 4;
