import { TaskState } from '../../core/task-state.ts';
import { TaskReason } from '../../core/task-table.ts';
import type { Ledger } from '../ledger.ts';
import { ringTimes } from '../times.ts';
import type { World } from '../world.ts';

/** Longest sleep: timers of the platform end at 2^31 ms, and a clock that was set is noticed within this time. */
const MAX_SLEEP_MS = 60_000;

/** Retry delays that are over, and dependencies whose delay has passed. Sleeps until the next one is due. */
export class AlarmLoop {
  readonly #ledger: Ledger;
  #due = Number.POSITIVE_INFINITY;
  #cancel: (() => void) | undefined;
  #stopped = false;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
    ledger.alarmSet = (due) => this.#set(due);
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
    this.#cancel = undefined;
    this.#ledger.alarmSet = () => {};
  }

  /** One pass; gives when the next is wanted, epoch ms. */
  async runOnce(): Promise<number | undefined> {
    const { ledger } = this;
    if (!ledger.writable) return ledger.world.now + 1_000;
    return await ledger.write((world) => {
      for (
        let id = world.memory.alarms.takeDue(world.now);
        id !== undefined;
        id = world.memory.alarms.takeDue(world.now)
      ) {
        ring(world, id);
      }
      world.settlement.run();
      return world.memory.alarms.earliest;
    });
  }

  get ledger(): Ledger {
    return this.#ledger;
  }

  #set(due: number): void {
    if (this.#stopped) return;
    if (due >= this.#due && this.#cancel !== undefined) return;
    this.#cancel?.();
    this.#due = due;
    const { clock } = this.#ledger.ports;
    const sleep = Math.min(MAX_SLEEP_MS, Math.max(0, due - clock.now()));
    this.#cancel = clock.timer(sleep, () => void this.#ring());
  }

  async #ring(): Promise<void> {
    this.#cancel = undefined;
    this.#due = Number.POSITIVE_INFINITY;
    let next: number | undefined;
    try {
      next = await this.runOnce();
    } catch {
      // The commit was refused; memory was rebuilt with every alarm set again, or will be asked again in a moment.
      next = this.#ledger.world.now + 1_000;
    }
    if (next !== undefined) this.#set(next);
  }
}

function ring(world: World, id: number): void {
  world.memory.nextAlarm.delete(id);
  const job = world.memory.jobs.get(id)?.job;
  if (job === undefined) return;
  const { table, delayed } = job;
  for (let position = delayed.takeDue(world.now); position !== undefined; position = delayed.takeDue(world.now)) {
    // Cancelled, or retried by hand, meanwhile; or waiting for a later time.
    const tick = table.retryTicks?.[position] ?? 0;
    if (tick === 0 || job.facts.createdAt + (tick - 1) * 10 > world.now) continue;
    table.setRetryTick(position, 0);
    table.setReason(position, 1, TaskReason.none);
    table.touch(position);
  }
  if (delayed.earliest !== undefined) world.wait(job, delayed.earliest);
  if (job.isConditional && job.table.counts[TaskState.blocked]! > 0) world.settlement.evaluate(job);
  ringTimes(world, job);
  world.changed(job);
}
