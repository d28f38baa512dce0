import type { Clock } from '../../src/coordinator/clock.ts';

interface Timer {
  at: number;
  order: number;
  task: () => void;
  cancelled: boolean;
}

const EPOCH_MS = 1_700_000_000_000;

/** Time that moves only when the simulation says so. Suspend moves the lease clock and the wall clock, not the steady one. */
export class VirtualClock {
  elapsed = 0;
  suspended = 0;
  /** Someone set the wall clock. */
  skew = 0;
  #order = 0;
  #timers: Timer[] = [];
  #soon: (() => void)[] = [];

  /** The clock as one life of a process sees it: what it scheduled never runs after its end. */
  forProcess(alive: () => boolean): Clock {
    return {
      now: () => Math.floor(EPOCH_MS + this.elapsed + this.suspended + this.skew),
      lease: () => this.elapsed + this.suspended,
      steady: () => this.elapsed,
      timer: (ms, task) => this.timer(ms, () => alive() && task()),
      soon: (task) => {
        this.#soon.push(() => alive() && task());
      },
    };
  }

  timer(ms: number, task: () => void): () => void {
    const timer = { at: this.elapsed + Math.max(0, ms), order: this.#order++, task, cancelled: false };
    let low = 0;
    let high = this.#timers.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.#timers[middle]!;
      if (other.at < timer.at || (other.at === timer.at && other.order < timer.order)) low = middle + 1;
      else high = middle;
    }
    this.#timers.splice(low, 0, timer);
    return () => {
      timer.cancelled = true;
    };
  }

  /** Runs the next thing that is to happen; false when nothing is. */
  step(): boolean {
    const soon = this.#soon.shift();
    if (soon !== undefined) {
      soon();
      return true;
    }
    for (let timer = this.#timers.shift(); timer !== undefined; timer = this.#timers.shift()) {
      if (timer.cancelled) continue;
      this.elapsed = Math.max(this.elapsed, timer.at);
      timer.task();
      return true;
    }
    return false;
  }
}

/** Lets every promise that can settle do so. Nothing real is waited for, so this is deterministic. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
