import type { InstanceVerbReply } from '../../api/instance.ts';
import type { Ledger } from '../ledger.ts';
import { ttlLeftOf } from './accounts.ts';
import { type InstanceRow, isOver } from './row.ts';

/** What became of one member. */
export interface Done {
  readonly row: InstanceRow;
  readonly changed: boolean;
  readonly note?: string;
  /** It was asked for another state: when it has that, nothing more need be said. */
  readonly state?: boolean;
}

/** Waits until every agent has taken in what was changed, at most so long, and tells how all are. */
export async function acknowledged(ledger: Ledger, done: readonly Done[], waitMs: number): Promise<InstanceVerbReply> {
  const book = ledger.memory.instances;
  const missing = () =>
    done.some((each) => isAsked(each) && (!isAcknowledged(ledger, each) || isFreezing(ledger, each)));
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
    members: done.map((each) => {
      const { row, changed } = each;
      const freezes = isAcknowledged(ledger, each) && isFreezing(ledger, each);
      const note = each.note ?? (freezes ? 'it will: its pre-stop command comes first' : undefined);
      const now = memory.instances.rows.get(row.id) ?? row;
      const array = memory.instances.arrays.get(row.jobId);
      const left = array === undefined || isOver(now) ? undefined : ttlLeftOf(ledger.world, now, array.part.ttlMode);
      return {
        id: row.id,
        name: row.name,
        state: now.state,
        changed,
        acknowledged: !isAsked(each) || isAcknowledged(ledger, each),
        ...(note === undefined ? {} : { note }),
        ...(left === undefined ? {} : { ttlLeftMs: Math.max(0, left) }),
      };
    }),
  }));
}

/** Also one that was asked for the same before, and is not there yet. */
function isAsked({ changed, state }: Done): boolean {
  return changed || state === true;
}

/** Nothing but `running` can be said of one that is about to hibernate: its pre-stop command may go on for minutes. */
function isFreezing(ledger: Ledger, { row, state }: Done): boolean {
  const now = ledger.memory.instances.rows.get(row.id) ?? row;
  return state === true && now.wanted === 'hibernated' && now.state === 'running';
}

/** Its agent said so, or it needs none: what has ended or is what it shall be, and what has no agent yet and will be told at its start. */
function isAcknowledged(ledger: Ledger, { row, state }: Done): boolean {
  const { memory } = ledger;
  const now = memory.instances.rows.get(row.id) ?? row;
  const { live } = now;
  if (isOver(now) || now.state === 'shutting-down') return true;
  if (now.state === 'stopped') return now.wanted === 'stopped';
  if (state === true && now.state === now.wanted) return true;
  if (now.state === 'pending' && state !== true && memory.bound.get(now.id) === undefined) return true;
  return live.version > 0 && live.acked >= live.askedVersion && live.said !== '';
}
