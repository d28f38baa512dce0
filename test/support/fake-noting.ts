import type { Caller } from '../../src/coordinator/use-cases.ts';
import { SpawnError } from '../../src/core/errors.ts';

/** Notes what it was asked. */
export class Noting {
  /** Method and arguments, without the caller. */
  readonly calls: [string, ...unknown[]][] = [];
  readonly callers: Caller[] = [];
  /** Set: every use case that changes something fails with it. */
  failure: Error | undefined;

  protected note(name: string, caller: Caller, ...args: unknown[]): void {
    this.calls.push([name, ...args]);
    this.callers.push(caller);
    if (this.failure !== undefined) throw this.failure;
  }

  protected known(ref: string): void {
    if (!ref.startsWith('12')) throw new SpawnError('JOB_NOT_FOUND', { ref });
  }
}
