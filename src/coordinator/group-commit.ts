import { isSpawnError, SpawnError } from '../core/errors.ts';
import type { Batch } from '../store/store.ts';
import type { Clock } from './clock.ts';

interface Waiting {
  resolve(): void;
  reject(error: Error): void;
}

export interface GroupCommitPorts {
  clock: Clock;
  /** Last changes before a batch is closed (scheduling), then the batch (undefined when nothing changed) and what to do once it is durable. */
  seal(): { batch: Batch | undefined; durable: () => void };
  commit(batch: Batch): Promise<void>;
  /** Rebuilds memory from the store after a refused commit. Rejects when that can never be done: every later call gets that error. */
  rebuild(error: SpawnError): Promise<void>;
}

/**
 * Gathers what requests change into one transaction after another. A request's work is done at once, in memory; its promise resolves
 * when everything it may have seen or done is durable. When a commit fails, all of that is refused and memory is rebuilt.
 */
export class GroupCommit {
  readonly #ports: GroupCommitPorts;
  /** Those whose changes are not in a batch yet. */
  #gathering: Waiting[] = [];
  /** Those whose changes are being committed. */
  #committing: Waiting[] | undefined;
  #scheduled = false;
  #dirty = false;
  #rebuilding: Promise<void> | undefined;
  /** A bug of ours may have left memory half changed: nothing of it may become durable. */
  #spoilt: unknown;
  /** Memory is not what the store says, and never will be. */
  #dead: SpawnError | undefined;

  constructor(ports: GroupCommitPorts) {
    this.#ports = ports;
  }

  /**
   * Runs `work`, which may change memory; resolves with its result once that is durable. A wrong request it refuses changes nothing;
   * any other error is a bug of ours, for which all that is not durable is refused.
   */
  async write<T>(work: () => T): Promise<T> {
    if (this.#rebuilding !== undefined || this.#dead !== undefined) await this.#ready();
    let result: T;
    try {
      result = work();
    } catch (error) {
      if (!isSpawnError(error) || (error as SpawnError).code === 'INTERNAL') {
        this.#spoilt ??= error;
        this.poke();
        await this.idle();
      }
      throw error;
    }
    this.poke();
    await this.#settled(true);
    return result;
  }

  /** Runs `work`, which only reads; resolves once all that it may have seen is durable. What was refused is not shown: it runs again. */
  async read<T>(work: () => T): Promise<T> {
    for (;;) {
      if (this.#rebuilding !== undefined || this.#dead !== undefined) await this.#ready();
      const result = work();
      try {
        await this.#settled(false);
        return result;
      } catch {
        // Not this reader's fault.
      }
    }
  }

  /** Something changed: close a batch soon. */
  poke(): void {
    this.#dirty = true;
    this.#schedule();
  }

  /** Resolves when nothing is gathered or under way; also when that was refused. */
  async idle(): Promise<void> {
    while (this.#rebuilding !== undefined) await this.#rebuilding;
    await this.#settled(false).catch(() => {});
  }

  async #ready(): Promise<void> {
    while (this.#rebuilding !== undefined) await this.#rebuilding;
    if (this.#dead !== undefined) throw this.#dead;
  }

  #settled(wrote: boolean): Promise<void> {
    if (!wrote && !this.#dirty) {
      if (this.#committing === undefined) return Promise.resolve();
      return new Promise((resolve, reject) => this.#committing!.push({ resolve, reject }));
    }
    return new Promise((resolve, reject) => this.#gathering.push({ resolve, reject }));
  }

  #schedule(): void {
    if (this.#dead !== undefined || this.#scheduled || this.#committing !== undefined || this.#rebuilding !== undefined)
      return;
    this.#scheduled = true;
    this.#ports.clock.soon(() => {
      this.#scheduled = false;
      void this.#flush();
    });
  }

  async #flush(): Promise<void> {
    if (this.#committing !== undefined || this.#rebuilding !== undefined) return;
    const waiting = this.#gathering;
    this.#gathering = [];
    this.#dirty = false;
    let sealed: ReturnType<GroupCommitPorts['seal']>;
    try {
      if (this.#spoilt !== undefined) throw this.#spoilt;
      sealed = this.#ports.seal();
      if (sealed.batch !== undefined) {
        this.#committing = waiting;
        await this.#ports.commit(sealed.batch);
      }
    } catch (error) {
      await this.#fail(waiting, error);
      return;
    }
    this.#committing = undefined;
    sealed.durable();
    for (const one of waiting) one.resolve();
    if (this.#dirty) this.#schedule();
  }

  /** All that was gathered on top of the refused batch goes with it. */
  async #fail(waiting: Waiting[], cause: unknown): Promise<void> {
    const error = isSpawnError(cause) ? (cause as SpawnError) : new SpawnError('STORE_FAILED', { why: String(cause) });
    const refused = [...waiting, ...this.#gathering];
    this.#gathering = [];
    this.#dirty = false;
    this.#committing = undefined;
    this.#spoilt = undefined;
    this.#rebuilding = this.#ports.rebuild(error).catch((hopeless: SpawnError) => {
      this.#dead = hopeless;
    });
    await this.#rebuilding;
    this.#rebuilding = undefined;
    for (const one of refused) one.reject(error);
    if (this.#dirty) this.#schedule();
  }
}
