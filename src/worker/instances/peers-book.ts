import type { PeersReply } from '../../api/instance.ts';
import type { MachineOrder } from '../../api/instance-session.ts';
import type { Machine, SharedFile } from '../../providers/provider.ts';
import { hostfileText, hostsText, peersText } from './instance-files.ts';

/** The files that say who runs in an array; equal for all its members. */
export interface PeersFiles {
  readonly version: number;
  readonly ids: ReadonlySet<string>;
  readonly peers: SharedFile;
  readonly hostfile: SharedFile;
  readonly hosts: SharedFile;
}

interface Entry {
  files: PeersFiles | undefined;
  underWay: Promise<PeersFiles> | undefined;
}

/** Who runs in which array: asked once for each version, whichever member needs it first. */
export class PeersBook {
  readonly #ask: (sessionId: number) => Promise<PeersReply>;
  readonly #arrays = new Map<number, Entry>();

  constructor(ask: (sessionId: number) => Promise<PeersReply>) {
    this.#ask = ask;
  }

  /** Those of this version, or newer ones. Rejects when the coordinator cannot be asked. */
  async get(
    { order, places }: Pick<Machine, 'order' | 'places'>,
    version: number,
    sessionId: number,
  ): Promise<PeersFiles> {
    let entry = this.#arrays.get(order.jobId);
    if (entry === undefined) {
      entry = { files: undefined, underWay: undefined };
      this.#arrays.set(order.jobId, entry);
    }
    const isThere = (files?: PeersFiles): files is PeersFiles => files !== undefined && files.version >= version;
    if (isThere(entry.files)) return entry.files;
    // An answer under way may be older than what this member was told.
    const before = await entry.underWay;
    if (isThere(before)) return before;
    return entry.underWay ?? this.#fetch(entry, order, places.isOwn, sessionId);
  }

  /** No member of it is served here any more. */
  forget(jobId: number): void {
    this.#arrays.delete(jobId);
  }

  /** @param resolves whether names of members do; the same for all that one agent serves */
  #fetch(entry: Entry, order: MachineOrder, resolves: boolean, sessionId: number): Promise<PeersFiles> {
    entry.underWay = this.#ask(sessionId).then(
      (reply) => {
        entry.underWay = undefined;
        entry.files = filesOf(order, resolves, reply);
        return entry.files;
      },
      (error: unknown) => {
        entry.underWay = undefined;
        throw error;
      },
    );
    return entry.underWay;
  }
}

function filesOf(order: MachineOrder, resolves: boolean, { version, members }: PeersReply): PeersFiles {
  const shared = (name: string, make: () => string): SharedFile => {
    let text: string | undefined;
    return {
      key: `${order.jobId}-${version}-${name}`,
      version,
      text: () => {
        text ??= make();
        return text;
      },
    };
  };
  return {
    version,
    ids: new Set(members.map(({ id }) => id)),
    peers: shared('peers', () => peersText(members)),
    hostfile: shared('hostfile', () => hostfileText(members, resolves ? 'dns' : 'privateIp')),
    hosts: shared('hosts', () => hostsText(order, members)),
  };
}
