import type { HelloReply, Resources } from '../api/session.ts';
import type { Gpu } from '../core/gpu-list.ts';
import type { WorkerClient } from './client.ts';
import type { ForkerKind } from './forker/types.ts';
import type { ForkerPort } from './forker-lives.ts';
import type { JobFiles } from './job-files.ts';
import type { LeaseMoment } from './lease.ts';

export interface SessionOptions {
  readonly client: WorkerClient;
  readonly hello: HelloReply;
  /** When the hello was sent: the first lease counts from there. */
  readonly helloSentAt: LeaseMoment;
  readonly resources: Resources;
  /** As many as `resources` says. */
  readonly gpus: readonly Gpu[];
  readonly bindCpus: boolean;
  /** Name of this machine. */
  readonly host: string;
  /** Name of the worker, for people. */
  readonly worker: string;
  /** Where logs go when the coordinator named no place. */
  readonly dataDir: string;
  readonly files: JobFiles;
  readonly forkers: ForkerPort;
  readonly forkerKind: ForkerKind | undefined;
  /** What `SPAWN_SESSION` of every task is. */
  readonly marker: string;
  /** The server can be away this long before the session gives up, but always for the term of a lease; 0 = for ever. */
  readonly exitWhenGoneMs: number;
  /** One line for a person, without its end. */
  readonly log: (line: string) => void;
}
