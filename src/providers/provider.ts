/** Where the agent of one worker session runs, as it said at hello. */
export interface SessionPlace {
  /** The id under which a provider started it; absent for an agent that somebody started by hand. */
  readonly instance?: string;
  readonly pid: number;
  readonly host: string;
  readonly bootId: string;
}

/**
 * How an agent is asked to end.
 * - `drain`: it takes no more, and ends when what runs has ended, or has had the agent's own grace
 * - `end`: what runs gets TERM, then KILL after its grace, and is ready again
 * - `kill`: at once; nothing is reported
 */
export type StopHow = 'drain' | 'end' | 'kill';

/**
 * Starts and stops instances: machines, or a part of one, that one agent (`spored`) serves. The agent alone reports how
 * tasks go. A provider tells one fact of an instance: that it is gone.
 */
export interface Provider {
  /** `local`, `ec2`, …: every instance of it has an id that begins with this and a hyphen. */
  readonly name: string;
  /** Starts an instance under an id that was never used before. Resolves when it is under way; its agent says hello later. */
  start(id: string): Promise<void>;
  /** Ids of the instances that live, or that may: those under way too. */
  list(): Promise<readonly string[]>;
  /** Asks an instance to end. Resolves when it was asked; does nothing when it is gone. */
  stop(id: string, how: StopHow): Promise<void>;
  /**
   * True only if nothing of this session can run any more, ever: neither its agent nor a task. False whenever there is
   * doubt, and for a place that is not of this provider: the lease then decides.
   */
  isGone(place: SessionPlace): Promise<boolean>;
}
