import type { RunCommand } from '../commands.ts';

interface Line {
  live: number;
  width: number;
  readonly waiting: RunCommand[];
}

/** Runs that wait until fewer than the width of their queue live. Queue 0 never waits. */
export class RunQueue {
  readonly #start: (run: RunCommand) => void;
  readonly #lines = new Map<number, Line>();
  readonly #waiting = new Map<number, RunCommand>();

  constructor(start: (run: RunCommand) => void) {
    this.#start = start;
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  has(fence: number): boolean {
    return this.#waiting.has(fence);
  }

  add(run: RunCommand): void {
    if (run.queueId === 0) {
      this.#start(run);
      return;
    }
    const line = this.#lines.get(run.queueId) ?? { live: 0, width: 1, waiting: [] };
    this.#lines.set(run.queueId, line);
    line.width = Math.max(1, run.queueWidth);
    line.waiting.push(run);
    this.#waiting.set(run.fence, run);
    this.#pump(run.queueId, line);
  }

  /** A started run is over, or could not be started. */
  done(run: RunCommand): void {
    const line = this.#lines.get(run.queueId);
    if (line === undefined) return;
    line.live -= 1;
    this.#pump(run.queueId, line);
  }

  /** False: it does not wait here. */
  remove(fence: number): boolean {
    const run = this.#waiting.get(fence);
    if (run === undefined) return false;
    this.#waiting.delete(fence);
    const line = this.#lines.get(run.queueId)!;
    line.waiting.splice(line.waiting.indexOf(run), 1);
    this.#pump(run.queueId, line);
    return true;
  }

  /** Another time limit for one that waits; false: it does not wait here. */
  limit(fence: number, timeLimitMs: number): boolean {
    const run = this.#waiting.get(fence);
    if (run === undefined) return false;
    const line = this.#lines.get(run.queueId)!;
    const changed = { ...run, timeLimitMs };
    line.waiting[line.waiting.indexOf(run)] = changed;
    this.#waiting.set(fence, changed);
    return true;
  }

  /** Everything that waited. */
  clear(): readonly RunCommand[] {
    const runs = [...this.#waiting.values()];
    for (const run of runs) this.remove(run.fence);
    return runs;
  }

  #pump(id: number, line: Line): void {
    while (line.live < line.width) {
      const run = line.waiting.shift();
      if (run === undefined) break;
      line.live += 1;
      this.#waiting.delete(run.fence);
      this.#start(run);
    }
    if (line.live === 0 && line.waiting.length === 0) this.#lines.delete(id);
  }
}
