import type { Directive, InstanceReport } from '../../api/instance-session.ts';
import type { Outcome } from '../../core/outcome.ts';
import type { Machine } from '../../providers/provider.ts';
import type { AgentPlace } from './agent-place.ts';
import type { InstanceForker } from './instance-forker.ts';
import type { InstanceLife } from './instance-life.ts';

/** A session that is open at the coordinator of a store. */
export interface OpenSession {
  readonly store: string;
  readonly id: number;
}

/** One instance as the parts of its agent see it. */
export interface ServedInstance {
  readonly machine: Machine;
  readonly place: AgentPlace;
  readonly life: InstanceLife;
  readonly log: (line: string) => void;
  readonly folder: {
    statusChanged(): void;
    /** What all attempts of its job have in their environment. */
    jobIsKnown(env: readonly string[]): void;
    /** Everything anew; gives the names of what became different. */
    reload(): Promise<string[]>;
  };
  readonly sessions: {
    readonly open: OpenSession | undefined;
    tell(): void;
    /** Ends what runs; resolves when that is known to the coordinator, or it is away, at the latest after `withinMs`. */
    settled(withinMs: number): Promise<void>;
    endAttempts(how: 'shutdown' | 'cancel', withinMs: number): Promise<void>;
  };
  readonly forker: Promise<InstanceForker>;
  /** Once it is there. */
  readonly knownForker: InstanceForker | undefined;
  /** Its machine is, and nobody here asked for that. */
  readonly isGone: boolean;
  /** The pre-stop command ran since it last ran on. */
  hasPreStopped: boolean;
  /** Decides what comes next, and begins it. */
  look(): void;
  /** Its report is another one: the coordinator is told at once, and it is remembered. */
  changed(): void;
  /** Writes what has to outlive this agent. */
  remember(): Promise<void>;
  /** The last resort of the machine follows the deadline. @param moreMs while it acts: so long it may take */
  setDeadline(moreMs?: number): void;
  /** Nothing of it runs: what is left is to say so. */
  leave(): Promise<void>;
  /** The coordinator knows nothing of it, or that it has ended: it must not cost anything. */
  unwanted(): void;
  takeDirective(directive: Directive): void;
  report(): InstanceReport;
  attemptEnded(outcome: Outcome): void;
}
