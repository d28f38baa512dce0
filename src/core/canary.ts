import { TaskState } from './task-state.ts';

export type CanaryState = 'running' | 'passed' | 'failed';

/** Some tasks of a job that run first: only when all of them have completed do the others run. */
export class Canary {
  /** Ascending. */
  readonly positions: Uint32Array;
  state: CanaryState = 'running';
  /** How many did not complete, if that is what stopped the others; else 0. */
  missed = 0;
  /** In `positions`: one that had not ended when last looked at. */
  #hint = 0;

  constructor(positions: Uint32Array) {
    this.positions = positions;
  }

  /** Whether each of them has ended. From one call to the next it goes on where it found one that had not: O(1) a task in all. */
  hasEnded(states: Uint8Array): boolean {
    const { positions } = this;
    for (let looked = 0; looked < positions.length; looked++) {
      if (states[positions[this.#hint]!]! < TaskState.completed) return false;
      this.#hint = (this.#hint + 1) % positions.length;
    }
    return true;
  }

  /** How many of them are in a state other than completed. */
  notCompleted(states: Uint8Array): number {
    return this.positions.reduce((sum, position) => sum + (states[position] === TaskState.completed ? 0 : 1), 0);
  }
}

/**
 * Positions of the tasks that run first: one by chance out of each of `wanted` equal stretches of the array. The same for the same
 * seed, so that they need not be stored; all of them when there are no more than are wanted.
 */
export function chooseCanary(size: number, wanted: number, seed: string): Uint32Array {
  const count = Math.min(size, wanted);
  return Uint32Array.from({ length: count }, (_, at) => {
    const from = Math.floor((at * size) / count);
    const to = Math.floor(((at + 1) * size) / count);
    return from + Math.floor(fraction(seed, at) * (to - from));
  });
}

/** FNV-1a, then the mixing of MurmurHash3: 0 ≤ x < 1, as if by chance. */
function fraction(seed: string, at: number): number {
  let hash = 2_166_136_261;
  for (const char of `${seed}/${at}`) hash = Math.imul(hash ^ char.codePointAt(0)!, 16_777_619);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
