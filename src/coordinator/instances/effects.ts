import { isSpawnError, type SpawnError } from '../../core/errors.ts';
import type { HaltHow } from '../../providers/provider.ts';
import type { Ledger } from '../ledger.ts';
import type { World } from '../world.ts';
import { fold, foldUnheard } from './accounts.ts';
import { foretell, happened, setReason } from './change.ts';
import { makeOrder } from './order.ts';
import { type InstanceRow, isOver } from './row.ts';

/** Launches that the provider is asked for at once. */
const LAUNCHES = 32;

/** What is done to machines and names outside, always after the row that says so is durable. */
export class InstanceEffects {
  readonly #ledger: Ledger;
  #launching = 0;
  readonly #failed: (error: unknown) => void;

  constructor(ledger: Ledger, failed: (error: unknown) => void) {
    this.#ledger = ledger;
    this.#failed = failed;
  }

  /** After each commit. */
  committed(): void {
    this.#publish();
    void this.#launchMore();
    this.#removeRest().catch(this.#failed);
  }

  #publish(): void {
    const book = this.#ledger.memory.instances;
    if (book.toPublish.size === 0) return;
    const names = book.ports?.names;
    for (const [id, published] of book.toPublish) {
      if (published === undefined) names?.remove(id);
      else names?.set(id, published);
    }
    book.toPublish.clear();
  }

  /** Of one that could not start, or whose agent died before it had removed everything. What fails here is left to the reaper. */
  async #removeRest(): Promise<void> {
    const { toRemove, ports } = this.#ledger.memory.instances;
    if (toRemove.size === 0 || ports === undefined) return;
    const ids = [...toRemove];
    toRemove.clear();
    const facts = await ports.provider.describe(ids);
    const left = facts.filter(({ state }) => state !== 'gone');
    await Promise.all(left.map(({ id }) => ports.provider.halt(id, 'terminate')));
  }

  async #launchMore(): Promise<void> {
    const book = this.#ledger.memory.instances;
    while (this.#launching < LAUNCHES && this.#ledger.writable) {
      const [row] = book.toLaunch;
      if (row === undefined) return;
      book.toLaunch.delete(row);
      // Its end was asked for meanwhile.
      if (row.wanted === 'terminated') continue;
      row.live.launch = 'underway';
      this.#launching++;
      void this.#launch(row).finally(() => {
        this.#launching--;
        void this.#launchMore();
      });
    }
  }

  async #launch(row: InstanceRow): Promise<void> {
    const { world } = this.#ledger;
    const book = world.memory.instances;
    const { provider } = book.ports!;
    if (row.costShare !== undefined && !(await this.#mayLaunch(row))) {
      // Not written down: it waits until that can be. Memory that was rebuilt launches it by itself.
      if (!isOver(row) && row.wanted === 'running') row.live.launch = 'no';
      else row.live.launch = 'done';
      book.dirty.add(row.jobId);
      return;
    }
    try {
      await provider.launch(makeOrder(world, row));
      row.live.launch = 'done';
      row.live.alone = undefined;
      world.memory.instances.attention.add(row);
    } catch (error) {
      row.live.launch = 'done';
      await this.#launchFailed(row.id, wordsOf(error)).catch(this.#failed);
    }
  }

  async #mayLaunch(row: InstanceRow): Promise<boolean> {
    try {
      if (await this.#hasRun(row)) return false;
    } catch (error) {
      this.#failed(error);
      return false;
    }
    return this.#ledger.memory.instances.rows.get(row.id) === row && row.wanted === 'running';
  }

  /**
   * Notes that it is being launched, before it is. Where an earlier coordinator had begun that and its machine is gone, it may have spent its share: that is
   * counted, and its task gets another machine.
   */
  async #hasRun(row: InstanceRow): Promise<boolean> {
    const { ports } = this.#ledger.memory.instances;
    if (row.asked !== true) {
      await this.#change(row.id, (world, live) => {
        live.asked = true;
        world.memory.instances.save(world.memory.changes, live);
      });
      return false;
    }
    const [fact] = row.launchedAt > 0 ? [] : await ports!.provider.describe([row.id]);
    if (row.launchedAt > 0 || fact?.state !== 'gone') return false;
    const why = 'nobody knows whether it ran while its coordinator was away';
    await this.gone(row.id, 'ended', why, (live) => setReason(live, 'replaced', why));
    return true;
  }

  /** Nothing of it may be left: it is ended before it counts as gone. */
  async #launchFailed(id: string, message: string): Promise<void> {
    const { provider } = this.#ledger.memory.instances.ports!;
    await provider.halt(id, 'terminate').catch(() => {});
    await this.#change(id, (world, row) => {
      setReason(row, 'launch-failed', message);
      happened(world, row, 'ended');
    });
  }

  /** Ends a machine for which no agent does it, or that does not obey; then says that it is so. */
  async halt(row: InstanceRow, how: HaltHow): Promise<void> {
    if (row.live.halting || row.live.launch === 'underway') return;
    const { memory } = this.#ledger;
    row.live.halting = true;
    try {
      await memory.instances.ports!.provider.halt(row.id, how);
      await this.gone(row.id, how === 'stop' ? 'stopped' : 'ended', `its machine was ${how}ped`);
    } finally {
      row.live.halting = false;
    }
  }

  /** Nothing of it runs: whatever its agent last said. The session goes first, with its attempt. */
  async gone(id: string, event: 'stopped' | 'ended', why: string, decide?: (row: InstanceRow) => void): Promise<void> {
    const session = this.#ledger.memory.bound.get(id)?.session.id;
    // The row knows why before its task does.
    await this.#change(id, (world, row) => {
      // As long as its session tells whether anybody saw it.
      foldUnheard(world, row);
      fold(world, row, world.memory.instances.arrays.get(row.jobId)!.part.ttlMode);
      decide?.(row);
      foretell(world, row, event === 'stopped');
    });
    if (session !== undefined) await this.lose(session, why);
    await this.#change(id, (world, row) => {
      happened(world, row, event);
    });
  }

  /** Ends a session; set by the coordinator. */
  lose: (sessionId: number, reason: string) => Promise<void> = async () => {};

  /** A change of one row that still lives; also of the one that a rebuild put in its place. */
  #change(id: string, work: (world: World, row: InstanceRow) => void): Promise<void> {
    return this.#ledger.write((world) => {
      const row = world.memory.instances.rows.get(id);
      if (row !== undefined && !isOver(row)) work(world, row);
    });
  }
}

function wordsOf(error: unknown): string {
  if (!isSpawnError(error)) return error instanceof Error ? error.message : String(error);
  const { code, message, details } = error as SpawnError;
  return code === 'LAUNCH_FAILED' && typeof details.why === 'string' ? details.why : message;
}
