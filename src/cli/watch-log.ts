import type { TaskView } from '../api/job.ts';
import { throughRestarts } from './await-job.ts';
import { oneLine } from './output/format.ts';
import { LogMerger, LogRecords } from './output/merge-logs.ts';
import type { World } from './world.ts';

/** Tasks whose output is read at a time: a job may run thousands, of which a person reads none. */
const MOST_FOLLOWED = 4;

/** The last lines that a few running tasks of a job wrote. When one of them ends, another takes its place. */
export class WatchLog {
  readonly lines: string[] = [];
  private readonly followed = new Map<string, Promise<void>>();
  /** The attempts followed last: one that ends just after it was looked for is not read twice. */
  private readonly recent: string[] = [];
  private readonly world: World;
  private readonly most: number;
  private readonly signal: AbortSignal;
  private readonly onError: (error: unknown) => void;

  /** @param most lines that are kept */
  constructor(world: World, most: number, signal: AbortSignal, onError: (error: unknown) => void) {
    this.world = world;
    this.most = most;
    this.signal = signal;
    this.onError = onError;
  }

  /** Reads on with these running tasks, as far as there is room. */
  follow(running: readonly TaskView[]): void {
    for (const task of running) {
      const attempt = `${task.id}/${task.attempt}`;
      if (this.followed.size >= MOST_FOLLOWED || this.signal.aborted) return;
      if (this.recent.includes(attempt)) continue;
      this.recent.push(attempt);
      if (this.recent.length > 4 * MOST_FOLLOWED) this.recent.shift();
      const done = this.read(task)
        .catch(this.onError)
        .finally(() => this.followed.delete(attempt));
      this.followed.set(attempt, done);
    }
  }

  /** Resolves once what is followed has been read to its end. */
  async end(): Promise<void> {
    await Promise.all(this.followed.values());
  }

  private async read({ id, index }: TaskView): Promise<void> {
    const text = new TextDecoder();
    await throughRestarts(this.world, this.signal, async (client) => {
      const records = new LogRecords();
      const merger = new LogMerger(() => index);
      for await (const chunk of client.logs(id, { follow: '1', tail: this.most }, { signal: this.signal })) {
        for (const record of records.add(chunk)) this.add(text.decode(merger.add(record)));
      }
      return true;
    });
  }

  private add(text: string): void {
    const lines = text.split('\n').slice(0, -1);
    this.lines.push(...lines.slice(-this.most).map(oneLine));
    this.lines.splice(0, Math.max(0, this.lines.length - this.most));
  }
}
