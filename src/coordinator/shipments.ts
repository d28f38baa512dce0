import type { EndRecord } from '../core/end-chunk.ts';
import type { SegmentCopies } from '../objects/log-reader.ts';
import type { Memory } from './memory.ts';
import type { SessionDetail } from './restore.ts';

/** How long one request waits in all for logs that are on their way. */
const PATIENCE_MS = 5_000;

/** What workers elsewhere still have to ship of a job's logs, for one request that reads them. */
export class Shipments {
  readonly #memory: () => Memory;
  readonly #copies: SegmentCopies;
  readonly #jobId: number;
  readonly #left: AbortSignal;
  /** Whether a session ships; what is not a session any more does not. */
  readonly #ships = new Map<number, boolean>();
  #patience: AbortSignal | undefined;

  /** @param left aborts when nobody reads any more */
  constructor(memory: () => Memory, copies: SegmentCopies, jobId: number, left: AbortSignal) {
    this.#memory = memory;
    this.#copies = copies;
    this.#jobId = jobId;
    this.#left = left;
  }

  /** Whether more may come of what this session wrote: its worker is on another disk, and the session lives. */
  mayGrow(sessionId: number): boolean {
    const row = this.#memory().sessions.get(sessionId)?.row;
    if (row === undefined) return false;
    let ships = this.#ships.get(sessionId);
    if (ships === undefined) {
      ships = !(JSON.parse(row.detail) as SessionDetail).sameHost;
      this.#ships.set(sessionId, ships);
    }
    return ships;
  }

  /** Resolves when the copy is as long as the attempt's end, or when waiting for it makes no sense (any more). */
  async arrival({ sessionId, logEndSegment: segment, logEndOffset }: EndRecord): Promise<void> {
    if (segment === 0 || !this.mayGrow(sessionId)) return;
    this.#patience ??= AbortSignal.any([this.#left, AbortSignal.timeout(PATIENCE_MS)]);
    await this.#copies.reach({ jobId: this.#jobId, sessionId, segment }, logEndOffset, this.#patience);
  }
}
