import { TASK_STATES } from './task-state.ts';

const STATES = TASK_STATES.length;

/** Where cell `i` of `cells` begins: positions floor(i*size/cells) on. */
function cellStart(cell: number, size: number, cells: number): number {
  return Math.floor((cell * size) / cells);
}

/** Tasks by state of each cell, all cells after one another. */
export function countCells(state: Uint8Array, cells: number): Uint32Array {
  const { length: size } = state;
  const counts = new Uint32Array(cells * STATES);
  for (let cell = 0; cell < cells; cell++) {
    const base = cell * STATES;
    const end = cellStart(cell + 1, size, cells);
    // Without a branch: what state the next task is in cannot be guessed.
    for (let position = cellStart(cell, size, cells); position < end; position++) counts[base + state[position]!]!++;
  }
  return counts;
}

/** `[cell, tasks by state]` of the cells that differ; of all when there is nothing before. */
export function changedCells(before: Uint32Array | undefined, now: Uint32Array): [cell: number, byState: number[]][] {
  const changed: [number, number[]][] = [];
  for (let base = 0; base < now.length; base += STATES) {
    if (before !== undefined && isSame(before, now, base)) continue;
    changed.push([base / STATES, [...now.subarray(base, base + STATES)]]);
  }
  return changed;
}

function isSame(before: Uint32Array, now: Uint32Array, base: number): boolean {
  for (let at = base; at < base + STATES; at++) if (before[at] !== now[at]) return false;
  return true;
}
