import type { FenceRun } from '../../api/session.ts';
import type { SentRun } from './host-process.ts';

/** Consecutive tasks of a job that run one after the other. */
export interface HostRun {
  readonly fence: number;
  readonly position: number;
  readonly count: number;
  readonly attempt: number;
  /** In place of that of their lane. */
  readonly timeLimitMs?: number | undefined;
}

type Run = { -readonly [Name in keyof HostRun]: HostRun[Name] };

/** The tasks that one host has to run, in order. Those in front have been sent to its process; each has an ordinal there. */
export class Outstanding {
  #runs: Run[] = [];
  #count = 0;
  #sent = 0;
  #ordinal = 0;

  get count(): number {
    return this.#count;
  }

  /** Of them, the process has so many. */
  get sent(): number {
    return this.#sent;
  }

  /** Of the first task in its process, whether it was sent or not. */
  get ordinal(): number {
    return this.#ordinal;
  }

  /** The task that runs, or is the next to run; its count means nothing. */
  get first(): HostRun | undefined {
    return this.#runs[0];
  }

  add(run: HostRun): void {
    this.#runs.push({ ...run });
    this.#count += run.count;
  }

  /** The first task is over. */
  shift(): void {
    const run = this.#runs[0]!;
    run.fence += 1;
    run.position += 1;
    run.count -= 1;
    if (run.count === 0) this.#runs.shift();
    this.#count -= 1;
    this.#sent = Math.max(0, this.#sent - 1);
    this.#ordinal += 1;
  }

  /** What is to be sent next, so that the process has at most so many. */
  send(most: number): SentRun[] {
    const sent: SentRun[] = [];
    let skip = this.#sent;
    let left = most - this.#sent;
    for (const { fence, position, count, attempt } of this.#runs) {
      if (left <= 0) break;
      const length = Math.min(count - skip, left);
      if (length > 0) {
        const ordinal = this.#ordinal + this.#sent;
        sent.push({ ordinal, fence: fence + skip, position: position + skip, count: length, attempt });
        this.#sent += length;
        left -= length;
      }
      skip = Math.max(0, skip - count);
    }
    return sent;
  }

  /** The process has started nothing from this ordinal on, and will not. */
  unsend(ordinal: number): void {
    this.#sent = Math.min(this.#sent, Math.max(0, ordinal - this.#ordinal));
  }

  /** The process is gone, and another begins to count. */
  restart(): void {
    this.#sent = 0;
    this.#ordinal = 0;
  }

  /** Those of a run of fences that are here. */
  within(base: number, count: number): FenceRun[] {
    return this.#runs.flatMap((run): FenceRun[] => {
      const [from, to] = [Math.max(run.fence, base), Math.min(run.fence + run.count, base + count)];
      return from < to ? [[from, to - from]] : [];
    });
  }

  /** Takes out what of a run of fences was not sent; gives it. */
  takeUnsent(base: number, count: number): FenceRun[] {
    const taken: FenceRun[] = [];
    this.#split(base, count, (part) => {
      taken.push([part.fence, part.count]);
      this.#count -= part.count;
      return undefined;
    });
    return taken;
  }

  /** Takes out everything. */
  takeAll(): HostRun[] {
    const all = this.#runs;
    this.#runs = [];
    this.#count = this.#sent = 0;
    return all;
  }

  /** Gives what of a run of fences was not sent another time limit. */
  limit(base: number, count: number, timeLimitMs: number): void {
    this.#split(base, count, (part) => ({ ...part, timeLimitMs }));
  }

  #split(base: number, count: number, change: (part: Run) => Run | undefined): void {
    let sent = this.#sent;
    this.#runs = this.#runs.flatMap((run) => {
      const from = Math.max(run.fence + Math.min(sent, run.count), base);
      const to = Math.min(run.fence + run.count, base + count);
      sent = Math.max(0, sent - run.count);
      if (from >= to) return [run];
      const parts = [part(run, run.fence, from), change(part(run, from, to)), part(run, to, run.fence + run.count)];
      return parts.filter((one) => one !== undefined && one.count > 0) as Run[];
    });
  }
}

function part(run: Run, from: number, to: number): Run {
  return { ...run, fence: from, position: run.position + from - run.fence, count: to - from };
}
