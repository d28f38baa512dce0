import { type Marked, signalMarked } from '../sweep.ts';

/** Looking through all processes costs some milliseconds, so what is wanted is collected so long. */
const SWEEP_AFTER_MS = 200;

/**
 * Finds processes of a task that have left its group by the marks in their environment. Without a subreaper this is all
 * that can be done: they die a moment after their task, and one that has cleared its environment is not found.
 */
export class OrphanSweep {
  readonly #wanted = new Map<string, Marked>();
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param group of the task: has had the signal already
   * @param session `SPAWN_SESSION=...`; a fence alone may also be another session's, so without it nothing is done
   */
  add(session: string | undefined, fence: number, group: number, signal: NodeJS.Signals): void {
    if (session === undefined) return;
    const mark = `SPAWN_FENCE=${fence}`;
    this.#wanted.set(mark, { marks: [session, mark], signal, exceptGroup: group });
    this.#timer ??= setTimeout(() => this.flush(), SWEEP_AFTER_MS);
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#wanted.size === 0) return;
    signalMarked([...this.#wanted.values()]);
    this.#wanted.clear();
  }
}
