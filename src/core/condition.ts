import { combine, type Dependency, formatDependency, type Term, type TermState } from './dependency.ts';

/** What of a job a condition works with; Job is the only implementation. */
interface Waited {
  readonly waiters: { readonly condition: unknown }[];
}

/**
 * What some tasks of a job wait for, and how far that is decided. Number 0 holds for all tasks for which no other was set; most jobs
 * have no more than that one.
 */
export class ConditionOf<P extends Waited> {
  readonly number: number;
  /** null: they wait for nothing. */
  readonly dependency: Dependency | null;
  /** Of each term; aftercorr terms say what holds for tasks without a partner. */
  readonly termStates: TermState[];
  /** When a term with a delay becomes satisfied, epoch ms; 0 = not known yet. */
  readonly termDue: number[];
  /** The job that each term names; kept in memory as long as a task here is blocked. */
  readonly predecessors: (P | undefined)[] = [];

  constructor(number: number, dependency: Dependency | null) {
    this.number = number;
    this.dependency = dependency;
    const terms = dependency?.terms.length ?? 0;
    this.termStates = new Array<TermState>(terms).fill('pending');
    this.termDue = new Array<number>(terms).fill(0);
  }

  /** In the grammar of parseDependency; '' when there is none. */
  get text(): string {
    return this.dependency === null ? '' : formatDependency(this.dependency);
  }

  /** Whether it speaks of each task by itself, through a partner. */
  get hasPairs(): boolean {
    return this.dependency?.terms.some(({ type }) => type === 'aftercorr') ?? false;
  }

  /** Whether a task of it that is sent back may have to wait again. */
  get mayWait(): boolean {
    if (this.dependency === null) return false;
    return this.hasPairs || combine(this.dependency.mode, this.termStates) !== 'satisfied';
  }

  /** No task waits for it any more: nobody need tell it anything. */
  unlink(): void {
    for (const predecessor of this.predecessors) {
      if (predecessor === undefined) continue;
      const kept = predecessor.waiters.filter((waiter) => waiter.condition !== this);
      predecessor.waiters.splice(0, predecessor.waiters.length, ...kept);
    }
  }

  get isSingleton(): boolean {
    return this.dependency?.terms.some(({ type }) => type === 'singleton') ?? false;
  }

  /** Its turn among those of its owner and name has come. */
  get holdsName(): boolean {
    const isHeld = ({ type }: Term, at: number) => type === 'singleton' && this.termStates[at] !== 'pending';
    return this.dependency?.terms.some(isHeld) ?? false;
  }

  /** It queues again behind whoever holds its name now. */
  queueAgain(): void {
    for (const [at, { type }] of (this.dependency?.terms ?? []).entries()) {
      if (type === 'singleton') this.termStates[at] = 'pending';
    }
  }
}
