import type { InstanceVerbReply } from '../../api/instance.ts';
import type { Ledger } from '../ledger.ts';
import { ttlLeftOf } from './accounts.ts';
import { type InstanceRow, isOver } from './row.ts';

/** What became of one member. */
export interface Done {
  readonly row: InstanceRow;
  readonly changed: boolean;
  readonly note?: string;
}

/** Waits until every agent has taken in what was changed, at most so long, and tells how all are. */
export async function acknowledged(ledger: Ledger, done: readonly Done[], waitMs: number): Promise<InstanceVerbReply> {
  const book = ledger.memory.instances;
  const missing = () => done.some((each) => each.changed && !isAcknowledged(ledger, each.row));
  if (waitMs > 0 && missing()) {
    await new Promise<void>((resolve) => {
      const finish = () => {
        book.waiting.delete(look);
        cancel();
        resolve();
      };
      const look = () => {
        if (!missing()) finish();
      };
      const cancel = ledger.ports.clock.timer(waitMs, finish);
      book.waiting.add(look);
    });
  }
  return await ledger.read((memory) => ({
    members: done.map(({ row, changed, note }) => {
      const now = memory.instances.rows.get(row.id) ?? row;
      const array = memory.instances.arrays.get(row.jobId);
      const left = array === undefined || isOver(now) ? undefined : ttlLeftOf(ledger.world, now, array.part.ttlMode);
      return {
        id: row.id,
        name: row.name,
        state: now.state,
        changed,
        acknowledged: !changed || isAcknowledged(ledger, now),
        ...(note === undefined ? {} : { note }),
        ...(left === undefined ? {} : { ttlLeftMs: Math.max(0, left) }),
      };
    }),
  }));
}

/** Its agent said so, or it needs none: what has ended, and what is at rest as it shall be. */
function isAcknowledged(ledger: Ledger, row: InstanceRow): boolean {
  const now = ledger.memory.instances.rows.get(row.id) ?? row;
  const { live } = now;
  if (isOver(now) || now.state === 'shutting-down') return true;
  if (now.state === 'stopped') return now.wanted === 'stopped';
  return live.version > 0 && live.acked >= live.version && live.said !== '';
}
