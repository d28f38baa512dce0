import type { Ledger } from '../ledger.ts';
import type { World } from '../world.ts';
import { keepSpent } from './budget-book.ts';
import type { InstanceArray } from './instance-array.ts';
import { type InstanceRow, isOver } from './row.ts';

/** Ended instances that one commit forgets, at most. */
const AT_ONCE = 5_000;

/** Under a cost limit one row of an array stays, and knows what those cost that are listed no more; it is not listed either. */
function keepForgotten({ memory }: World, array: InstanceArray, before: number): void {
  const row = array.anyRow()!;
  row.forgotten = array.forgottenCost;
  row.told = array.told;
  if (isOver(row) && row.endedAt < before) row.hidden = true;
  memory.instances.save(memory.changes, row);
}

/** Ends machines that no row knows (P14), and forgets rows that were listed long enough. */
export class InstanceReaper {
  readonly #ledger: Ledger;
  /** Seen once without a row: it may be of a launch whose row this life does not have yet, so it is ended the second time. */
  #strange = new Set<string>();

  /** On their way out. */
  readonly #ending = new Set<string>();
  readonly #failed: (error: unknown) => void;

  constructor(ledger: Ledger, failed: (error: unknown) => void) {
    this.#ledger = ledger;
    this.#failed = failed;
  }

  async runOnce(): Promise<void> {
    const { ports } = this.#ledger.memory.instances;
    if (ports === undefined || !this.#ledger.writable) return;
    const strange = new Set<string>();
    for (const id of await ports.provider.list()) {
      const row = this.#ledger.memory.instances.rows.get(id);
      if (row !== undefined && !isOver(row)) continue;
      if (row === undefined && !this.#strange.has(id)) {
        strange.add(id);
        continue;
      }
      // Not waited for: one that does not end must not keep the others waiting.
      this.#end(id, row === undefined).catch(this.#failed);
    }
    this.#strange = strange;
    await this.#forget();
  }

  async #end(id: string, isOrphan: boolean): Promise<void> {
    if (this.#ending.has(id)) return;
    this.#ending.add(id);
    try {
      await this.#ledger.memory.instances.ports!.provider.halt(id, 'terminate');
      if (!isOrphan) return;
      await this.#ledger.write(({ memory, now }) => memory.changes.event(now, 0, 'orphanReaped', { instance: id }));
    } finally {
      this.#ending.delete(id);
    }
  }

  async #forget(): Promise<void> {
    const { memory, ports } = this.#ledger;
    const before = ports.clock.now() - memory.instances.retentionMs;
    const old: InstanceRow[] = [];
    for (const row of memory.instances.rows.values()) {
      if (row.endedAt === 0 || row.endedAt >= before || row.hidden === true) continue;
      old.push(row);
      if (old.length === AT_ONCE) break;
    }
    if (old.length === 0) return;
    await this.#ledger.write((world) => {
      const book = world.memory.instances;
      const limited = new Set<InstanceArray>();
      for (const { id } of old) {
        const row = book.rows.get(id);
        if (row === undefined || !isOver(row)) continue;
        const array = book.arrays.get(row.jobId)!;
        if (array.part.costLimit !== undefined) {
          limited.add(array);
          if (array.isLast(row)) continue;
        }
        keepSpent(world, row);
        book.forget(row);
        world.memory.changes.instances.delete(id);
        world.memory.changes.droppedInstances.add(id);
      }
      for (const array of limited) keepForgotten(world, array, before);
    });
  }
}
