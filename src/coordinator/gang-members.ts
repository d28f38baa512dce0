import type { GrantNode, GrantRange } from '../core/grant-range.ts';
import type { WorkerSession } from '../core/worker-session.ts';

/** What this life of the coordinator knows of one node of a gang. */
export interface Member {
  /** Number of the stream message that told it; 0 = it has not been told in this life. */
  sentN: number;
  /** On the steady clock: it must be ready then. */
  dueAt: number;
  at: { readonly address: string; readonly port: number } | undefined;
}

/** A gang with several nodes, of which one attempt is under way. */
export class Gang {
  readonly range: GrantRange;
  readonly nodes: readonly GrantNode[];
  /** By rank; the first is the one with the grant, and needs no place. */
  readonly members: readonly (Member | undefined)[];

  constructor(range: GrantRange, nodes: readonly GrantNode[]) {
    this.range = range;
    this.nodes = nodes;
    this.members = nodes.map((_, rank) => (rank === 0 ? undefined : { sentN: 0, dueAt: 0, at: undefined }));
  }

  get isReady(): boolean {
    return this.members.every((member) => member === undefined || member.at !== undefined);
  }

  rankOf(session: WorkerSession): number {
    return this.nodes.findIndex(({ sessionId }) => sessionId === session.id);
  }
}
