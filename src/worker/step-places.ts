import type { GangMessage, MemberMessage } from '../api/gang.ts';

/** Where other workers of a gang reach the place of a member. */
export interface StepAddress {
  /** Host name or address. */
  readonly address: string;
  readonly port: number;
}

/**
 * Where the steps of gangs run on this worker: what the worker's session asks of whoever starts them. The fence of an attempt names it; a session has
 * no more than one member of each.
 */
export interface StepPlaces {
  /**
   * A member came: its place is open when this resolves. Comes again with the same fence after the coordinator started anew, and answers the same then.
   * @param devices GPUs of this worker that are its own, by their position on the worker
   * @throws when it cannot have a place: the attempt is lost, and the message is shown
   */
  admit(member: MemberMessage, devices: readonly number[]): Promise<StepAddress>;
  /** The attempt is over: kills what runs of its steps, closes its place, and resolves when nothing of it is left. */
  release(fence: number): Promise<void>;
  /** On the worker that has the grant, while it has it: all other nodes are ready. May come again, and before or after the task itself has started. */
  gangReady(gang: GangMessage): void;
  /** Passes a signal on to all that runs of the steps of a member. */
  signal(fence: number, signal: number): void;
  /** The session is over: as `release` of everything. */
  close(): Promise<void>;
}
