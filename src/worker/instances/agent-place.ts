import type { PeersReply } from '../../api/instance.ts';
import type { CallOptions, WorkerClient } from '../client.ts';
import type { JobFiles } from '../job-files.ts';
import type { InstanceClock } from './boot-clock.ts';
import type { PeersBook } from './peers-book.ts';

/** What an agent of instances asks of a coordinator. */
export interface InstanceClient extends WorkerClient {
  peers(sessionId: number, options?: CallOptions): Promise<PeersReply>;
}

/** What all instances of one agent share. */
export interface AgentPlace {
  readonly client: InstanceClient;
  readonly clock: InstanceClock;
  readonly files: JobFiles;
  readonly peers: PeersBook;
  /** Scripts, environments and, where the coordinator names no place, logs. */
  readonly directory: string;
  readonly host: string;
  /** The in-instance `spored`, seen from inside; absent: that of the machine. */
  readonly spored?: string;
  /** Of this package. */
  readonly version: string;
  /** The text of the machine's own resolv.conf. */
  readonly resolvConf: string;
  /** The script of a user-data hash; kept for all members. */
  readonly userData: (hash: string) => Promise<string>;
  /** One line for a person, without its end. */
  readonly log: (line: string) => void;
}
