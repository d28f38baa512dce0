import type { FenceRun } from '../../api/session.ts';
import { FenceSet } from '../fence-set.ts';
import type { Outstanding } from './outstanding.ts';

const KINDS = ['revoked', 'cancelled', 'suspended', 'dropped'] as const;
type Kind = (typeof KINDS)[number];

/** What was asked of tasks of a host, until it is known which of them have started. */
export class Requests {
  readonly #tasks: Outstanding;
  readonly #sets: Readonly<Record<Kind, FenceSet>> = {
    revoked: new FenceSet(),
    cancelled: new FenceSet(),
    suspended: new FenceSet(),
    dropped: new FenceSet(),
  };

  constructor(tasks: Outstanding) {
    this.#tasks = tasks;
  }

  /** True when one of them is here. */
  add(kind: Kind, base: number, count: number): boolean {
    const here = this.#tasks.within(base, count);
    for (const run of here) this.#sets[kind].add(...run);
    return here.length > 0;
  }

  delete(kind: Kind, base: number, count: number): void {
    this.#sets[kind].delete(base, count);
  }

  has(kind: Kind, fence: number): boolean {
    return this.#sets[kind].has(fence);
  }

  /** Nothing more can be done about it. */
  over(fence: number): void {
    for (const kind of KINDS) if (this.#sets[kind].count > 0) this.#sets[kind].delete(fence);
  }

  /** Takes out what was asked for and was not sent; gives what goes back to the coordinator. */
  takeUnsent(): FenceRun[] {
    return KINDS.flatMap((kind) => {
      const set = this.#sets[kind];
      const taken = set.runs().flatMap(([base, count]) => this.#tasks.takeUnsent(base, count));
      for (const run of taken) set.delete(...run);
      return kind === 'dropped' ? [] : taken;
    });
  }
}
