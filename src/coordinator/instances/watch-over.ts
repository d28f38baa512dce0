import type { EndReason } from '../../api/instance.ts';
import { putByMs } from '../../core/cost-end.ts';
import { isCharged } from '../../core/instance.ts';
import { costOf, lastsMs } from '../../core/instance-cost.ts';
import type { HaltHow, MachineFact } from '../../providers/provider.ts';
import type { Ledger } from '../ledger.ts';
import { costSoFar, ranMsOf, ttlLeftOf } from './accounts.ts';
import { setReason, want } from './change.ts';
import type { InstanceEffects } from './effects.ts';
import type { InstanceRow } from './row.ts';

/** How long an agent may be away, or do nothing, before the provider is asked to act in its place, ms. */
const PATIENCE_MS = 10_000;
/** A machine that was launched has so long until its agent says hello, ms. */
const START_MS = 600_000;
/** So long after a launch a machine that is down is taken for one that comes up, ms. */
const COMING_UP_MS = 60_000;
/** What a machine takes to end when the provider ends it, at most: paid for by its share. */
const HALT_MS = 10_000;
/** So much before its share is used up a machine ends itself when its agent is gone, at the earliest. */
const LAST_RESORT_MS = 13_000;
/** So much more than its share an instance may have cost by its agent's doing before the provider ends it, ms of its rate: two looks. */
const OVER_MS = 2_000;
/** Machines that the provider is asked about at once. */
const AT_ONCE = 1_000;

/**
 * Looks after the instances for which nobody answers, and after those that are not what they shall be. What is connected and as it shall be
 * is not looked at.
 */
export class InstanceWatch {
  readonly #ledger: Ledger;
  readonly #effects: InstanceEffects;
  readonly #failed: (error: unknown) => void;

  constructor(ledger: Ledger, effects: InstanceEffects, failed: (error: unknown) => void) {
    this.#ledger = ledger;
    this.#effects = effects;
    this.#failed = failed;
  }

  async runOnce(): Promise<void> {
    const { memory, writable } = this.#ledger;
    const book = memory.instances;
    if (book.ports === undefined || !writable) return;
    await this.#endBroke();
    const alone: InstanceRow[] = [];
    for (const row of [...book.attention]) {
      if (this.#isWell(row)) book.attention.delete(row);
      else if (memory.bound.get(row.id)?.session.connected !== true) alone.push(row);
    }
    for (let at = 0; at < alone.length; at += AT_ONCE) await this.#look(alone.slice(at, at + AT_ONCE));
    for (const row of [...book.attention]) await this.#insist(row);
  }

  /** Connected, and as it shall be: its agent does the rest. */
  #isWell(row: InstanceRow): boolean {
    const { memory, ports } = this.#ledger;
    const now = ports.clock.lease();
    const connected = memory.bound.get(row.id)?.session.connected === true;
    const asWanted = row.wanted === row.state;
    row.live.alone = connected ? undefined : (row.live.alone ?? now);
    row.live.unlike = asWanted ? undefined : (row.live.unlike ?? now);
    if (!asWanted) return false;
    return connected || (row.state === 'stopped' && !this.#endsWhileStopped(row));
  }

  #endsWhileStopped(row: InstanceRow): boolean {
    return row.ttlMs > 0 && this.#ledger.memory.instances.arrays.get(row.jobId)!.part.ttlMode === 'wall';
  }

  /** What the provider says of those for whom no agent answers. */
  async #look(rows: readonly InstanceRow[]): Promise<void> {
    // What is to be launched and was not yet has no machine, or one that is down.
    const asked = rows.filter(
      ({ live, state }) =>
        state !== 'stopped' && (live.launch === 'done' || (live.launch === 'no' && state !== 'pending')),
    );
    if (asked.length === 0) return;
    const { provider } = this.#ledger.memory.instances.ports!;
    const facts = await provider.describe(asked.map(({ id }) => id));
    const byId = new Map(facts.map((fact) => [fact.id, fact.state]));
    for (const row of asked) await this.#take(row, byId.get(row.id) ?? 'gone');
  }

  async #take(row: InstanceRow, fact: MachineFact['state']): Promise<void> {
    if (row.endedAt !== 0 || row.live.launch === 'waiting' || row.live.launch === 'underway') return;
    if (fact === 'starting' || fact === 'up') return;
    if (this.#ledger.memory.bound.get(row.id)?.session.connected === true) return;
    if (fact === 'gone') {
      const why = 'its machine is gone';
      await this.#effects.gone(row.id, 'ended', why, (live) => {
        if (live.wanted !== 'terminated') setReason(live, this.#lossOf(live), why);
      });
    } else if (row.wanted === 'terminated') {
      // Its agent ended it, and then itself: what is left to do needs no patience.
      this.#halt(row, 'terminate');
    } else if (row.wanted === 'stopped' || row.state === 'stopping') {
      if (row.state !== 'stopped') await this.#effects.gone(row.id, 'stopped', 'it was stopped');
    } else if (row.state !== 'stopped' && !this.#mayStillStart(row)) {
      // Down by itself. Another machine takes its place, or none: its disk is not needed any more.
      await this.#ledger.write((world) => {
        const live = world.memory.instances.rows.get(row.id);
        if (live !== undefined) want(world, live, 'terminated', this.#lossOf(live), 'its machine went down');
      });
      this.#halt(row, 'terminate');
    }
  }

  /** Why its machine went: by itself, unless that was to come anyhow. The deadline of the machine holds when nobody else does. */
  #lossOf(row: InstanceRow): EndReason {
    if (row.interruptAt > 0) return 'interrupted';
    if (this.#mayHaveSpent(row)) return row.shareOf ?? 'cost-limit';
    const { memory, world } = this.#ledger;
    const left = ttlLeftOf(world, row, memory.instances.arrays.get(row.jobId)!.part.ttlMode);
    return left !== undefined && left <= 0 ? 'ttl' : 'lost';
  }

  /** The machine itself ends a little before its share is used up when its agent does not. */
  #mayHaveSpent(row: InstanceRow): boolean {
    if (row.costShare === undefined || !isCharged(row.state)) return false;
    const shareMs = lastsMs(row.costShare, row.rate);
    return ranMsOf(this.#ledger.world, row) >= shareMs - putByMs(shareMs, LAST_RESORT_MS);
  }

  /** Not waited for: one that does not end, or cannot be ended, must not keep the others waiting. */
  #halt(row: InstanceRow, how: HaltHow): void {
    this.#effects.halt(row, how).catch(this.#failed);
  }

  /** Between the launch and the first process in it a machine is down, too. */
  #mayStillStart({ state, live }: InstanceRow): boolean {
    return state === 'pending' && this.#ledger.ports.clock.lease() - (live.alone ?? 0) < COMING_UP_MS;
  }

  /** Acts where the agent is away, or does not do what it shall. */
  async #insist(row: InstanceRow): Promise<void> {
    const { memory, ports, world } = this.#ledger;
    if (row.endedAt !== 0 || !memory.instances.rows.has(row.id)) return;
    const now = ports.clock.lease();
    const { part, fixed } = memory.instances.arrays.get(row.jobId)!;
    const { alone, unlike } = row.live;
    const left = ttlLeftOf(world, row, part.ttlMode);
    const aloneMs = alone === undefined ? 0 : now - alone;
    const overdue = alone !== undefined && left !== undefined && left <= 0 && row.wanted !== 'terminated';
    if (overdue && (row.state === 'stopped' || left <= -PATIENCE_MS)) {
      await this.#end(row, 'ttl');
    } else if (row.wanted === 'terminated' || row.wanted === 'stopped') {
      if (row.state === row.wanted) return;
      const never = row.launchedAt === 0 && memory.bound.get(row.id) === undefined;
      const patience = PATIENCE_MS + fixed.spec.graceMs + (part.preStop === undefined ? 0 : part.preStopTimeoutMs);
      const late = unlike !== undefined && now - unlike >= patience;
      const resting = row.state === 'stopped';
      const over = row.costShare !== undefined && costSoFar(world, row) > row.costShare + costOf(OVER_MS, row.rate);
      if (never || resting || aloneMs >= PATIENCE_MS || late || (over && isCharged(row.state)))
        this.#halt(row, row.wanted === 'stopped' ? 'stop' : 'terminate');
    } else if (row.state === 'pending' && aloneMs >= START_MS) {
      await this.#end(row, 'launch-failed', `its agent did not answer within ${START_MS / 60_000} minutes`);
    } else if (row.state === 'pending') {
      // Costs nothing; without a share it waits for that of others.
      return;
    } else if (alone !== undefined && this.#mustEnd(row)) {
      await this.#end(row, row.shareOf ?? 'cost-limit');
    }
  }

  /** Nobody ends it for its cost, and its share just pays for its end. */
  #mustEnd(row: InstanceRow): boolean {
    if (row.costShare === undefined) return false;
    const shareMs = lastsMs(row.costShare, row.rate);
    return ranMsOf(this.#ledger.world, row) >= shareMs - putByMs(shareMs, HALT_MS);
  }

  /** Connected or not: who has used up its share and runs on is told to end. */
  async #endBroke(): Promise<void> {
    const { world } = this.#ledger;
    const broke = [...world.memory.instances.capped()].filter(
      (row) => row.wanted !== 'terminated' && row.costShare !== undefined && costSoFar(world, row) > row.costShare,
    );
    if (broke.length === 0) return;
    await this.#ledger.write((live) => {
      for (const { id } of broke) {
        const row = live.memory.instances.rows.get(id);
        if (row !== undefined) want(live, row, 'terminated', row.shareOf ?? 'cost-limit');
      }
    });
  }

  async #end(
    row: InstanceRow,
    reason: 'ttl' | 'cost-limit' | 'budget' | 'launch-failed',
    message?: string,
  ): Promise<void> {
    await this.#ledger.write((world) => {
      const live = world.memory.instances.rows.get(row.id);
      if (live !== undefined) want(world, live, 'terminated', reason, message);
    });
    this.#halt(row, 'terminate');
  }
}
