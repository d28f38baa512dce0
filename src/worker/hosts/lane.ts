import type { HostSlot } from './slot.ts';

/** So much work a host is given at once. */
const AHEAD_US = 20_000;
export const MOST_AHEAD = 8_192;
/** Weight of one task in the duration of those of a lane, and of how many at most. */
const NEW_WEIGHT = 0.3;
const MOST_WEIGHED = 20;
/** For so long every task ends with what was wrong with the module, before that is looked at again. */
const UNUSABLE_MS = 5_000;

/** A slot and what it has of the worker. */
export interface LaneSlot {
  readonly slot: HostSlot;
  readonly devices: readonly number[];
  isBusy: boolean;
}

/** What is known of the tasks of a job's lane on this worker, and the hosts that it has. */
export class HostLane {
  slots: LaneSlot[] = [];
  #meanUs: number | undefined;
  #unusable = { text: '', untilMs: Number.NEGATIVE_INFINITY };

  /** So many tasks have ended that took so long together. */
  note(wallUs: number, count: number): void {
    const mean = Math.max(1, wallUs / count);
    const weight = 1 - (1 - NEW_WEIGHT) ** Math.min(count, MOST_WEIGHED);
    this.#meanUs = this.#meanUs === undefined ? mean : this.#meanUs + (mean - this.#meanUs) * weight;
  }

  /** Tasks that a host may have at once: one while it is unknown how long they take. */
  get window(): number {
    if (this.#meanUs === undefined) return 1;
    const ahead = Math.floor(AHEAD_US / this.#meanUs);
    return Math.max(1, Math.min(MOST_AHEAD, ahead + (ahead > 0 ? 1 : 0)));
  }

  /** Of those that work, the one with the least to do, when it should have more. */
  get slotWithRoom(): LaneSlot | undefined {
    let best: LaneSlot | undefined;
    for (const entry of this.slots) {
      const { count } = entry.slot.tasks;
      if (entry.isBusy && count < this.window / 2 && count < (best?.slot.tasks.count ?? Number.POSITIVE_INFINITY))
        best = entry;
    }
    return best;
  }

  /** One that has nothing to do, rather with a process than without. */
  get idleSlot(): LaneSlot | undefined {
    const idle = this.slots.filter(({ isBusy }) => !isBusy);
    return idle.find(({ slot }) => slot.isWarm) ?? idle[0];
  }

  /** Why no task can be run, as far as that is known and not long ago. */
  get unusable(): string | undefined {
    return performance.now() < this.#unusable.untilMs ? this.#unusable.text : undefined;
  }

  noteUnusable(text: string): void {
    this.#unusable = { text, untilMs: performance.now() + UNUSABLE_MS };
  }
}
