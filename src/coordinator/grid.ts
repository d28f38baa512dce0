import type { GridDelta } from '../api/insight.ts';
import { changedCells, countCells } from '../core/grid-cells.ts';
import type { Ledger } from './ledger.ts';
import { lookAt } from './reading.ts';
import { resolveRef } from './refs.ts';

/** At most so often a watcher is told. */
export const GRID_MS = 250;

interface Look {
  readonly size: number;
  readonly counts: Uint32Array;
  readonly ended: boolean;
}

/** States of all tasks by cell, told at once and then as they change; a job that has ended is told once. */
export async function watchGrid(
  ledger: Ledger,
  ref: string,
  cells: number,
  listener: (delta: GridDelta) => void,
): Promise<() => void> {
  const { clock, store } = ledger.ports;
  const { id } = await resolveRef(ledger.memory, store, ref, 'look');
  let told: Uint32Array | undefined;
  let over = false;
  /** Something changed since the last look began. */
  let changed = false;
  let busy = true;
  let cancel: (() => void) | undefined;
  const lookLater = (): void => {
    if (busy || over || !changed) return;
    busy = true;
    cancel = clock.timer(GRID_MS, () => void lookAgain());
  };
  // Before the first look, so that what changes meanwhile is not missed.
  const stopWatching = ledger.watchers.add(id, () => {
    changed = true;
    lookLater();
  });
  const stop = (): void => {
    over = true;
    cancel?.();
    stopWatching();
  };
  const look = (): Promise<Look> => {
    changed = false;
    return lookAt(ledger, id, ({ job }) => ({
      size: job.size,
      counts: countCells(job.table.state, Math.min(cells, job.size)),
      ended: job.endedAt !== 0,
    }));
  };
  const tell = ({ size, counts, ended }: Look): void => {
    const cellsChanged = changedCells(told, counts);
    told = counts;
    if (ended) stop();
    if (cellsChanged.length > 0 || ended) {
      listener({ size, cells: Math.min(cells, size), changed: cellsChanged, ended });
    }
  };
  const lookAgain = async (): Promise<void> => {
    try {
      const seen = await look();
      if (!over) tell(seen);
    } catch {
      // The store cannot be read: it is looked at again with the next change.
    }
    busy = false;
    lookLater();
  };
  try {
    tell(await look());
    busy = false;
    lookLater();
    return stop;
  } catch (error) {
    stop();
    throw error;
  }
}
