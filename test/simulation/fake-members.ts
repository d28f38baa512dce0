import type { MemberReport } from '../../src/api/gang.ts';
import type { FenceRun } from '../../src/api/session.ts';

/** The parts that a fake worker has in gangs of which others have the grant. */
export class FakeMembers {
  readonly #held = new Map<number, MemberReport>();
  readonly #cpus = new Map<number, number>();
  #unsaid: MemberReport[] = [];

  get unreported(): number {
    return this.#unsaid.length;
  }

  get fences(): number[] {
    return [...this.#held.keys()];
  }

  /** That they have. */
  get cpus(): number {
    return this.fences.reduce((sum, fence) => sum + this.#cpus.get(fence)!, 0);
  }

  /** It has a place, or none; told again it answers the same. */
  admit({ fence, cpus }: { readonly fence: number; readonly cpus: number }, hasPlace: boolean): void {
    this.#cpus.set(fence, cpus);
    const report =
      this.#held.get(fence) ?? (hasPlace ? { fence, address: 'simulated', port: 1 } : { fence, failed: 'no place' });
    this.#held.set(fence, report);
    this.#unsaid.push(report);
  }

  end(runs: readonly FenceRun[]): void {
    for (const [base, count] of runs) for (let at = 0; at < count; at++) this.#held.delete(base + at);
  }

  /** Takes what is to be said. */
  take(): { members?: MemberReport[] } {
    return this.#unsaid.length === 0 ? {} : { members: this.#unsaid.splice(0) };
  }

  clear(): void {
    this.#held.clear();
    this.#unsaid = [];
  }
}
