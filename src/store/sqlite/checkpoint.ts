import type { Database } from 'better-sqlite3';

/** When what the write-ahead log holds is moved into the database. */
export interface Checkpoints {
  /** After each request was answered. */
  onAnswered(): void;
  /** Moves everything and empties the log, as far as that is possible. */
  finish(): void;
}

export interface CheckpointPolicy {
  /** Pages in the log from which on it is emptied also under load. Default 4096 (16 MiB). */
  readonly maxPages: number;
  /** Pages in the log for which a quiet moment is used. Default 256 (1 MiB). */
  readonly idlePages: number;
  /** How long no request came for a moment to be quiet. Default 200. */
  readonly idleMs: number;
}

const DEFAULT_POLICY: CheckpointPolicy = { maxPages: 4096, idlePages: 256, idleMs: 200 };

/**
 * SQLite's own policy makes whichever commit passes a thousand pages wait for a checkpoint. Here it runs when nothing
 * waits, or, when there is no such moment, seldom.
 */
export function planCheckpoints(db: Database, policy: CheckpointPolicy = DEFAULT_POLICY): Checkpoints {
  // NOOP only counts: it reads two numbers from shared memory.
  const count = db.prepare<[], { log: number; checkpointed: number }>('PRAGMA wal_checkpoint(NOOP)');
  const passive = db.prepare('PRAGMA wal_checkpoint(PASSIVE)');

  const moveFrom = (pages: number): void => {
    try {
      const now = count.get();
      if (now !== undefined && now.log - now.checkpointed >= pages) passive.get();
    } catch {
      // A full disk, or a reader in the way: everything is still in the log, and the next moment tries again.
    }
  };

  const timer = setTimeout(() => moveFrom(policy.idlePages), policy.idleMs);
  timer.unref();
  return {
    onAnswered: () => {
      moveFrom(policy.maxPages);
      timer.refresh();
    },
    finish: () => {
      clearTimeout(timer);
      try {
        db.pragma('wal_checkpoint(TRUNCATE)');
      } catch {
        // The log stays, and is read at the next opening.
      }
    },
  };
}
