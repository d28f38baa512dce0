import type { Directive, InstanceReport } from '../api/instance-session.ts';
import type { HelloReply, Resources } from '../api/session.ts';
import type { Gpu } from '../core/gpu-list.ts';
import type { Outcome } from '../core/outcome.ts';
import type { WorkerClient } from './client.ts';
import type { Place } from './environment.ts';
import type { ForkerKind } from './forker/types.ts';
import type { ForkerPort, Lives, LivesWiring } from './forker-lives.ts';
import type { JobAdapter } from './job-book.ts';
import type { JobFiles } from './job-files.ts';
import type { LeaseMoment } from './lease.ts';
import type { StepPlaces } from './step-places.ts';
import type { StepFolders } from './steps/step-folders.ts';

/**
 * What makes a session that of an instance bound to one index of a job. Its lease never ends, it is never left for want of work, and its
 * exchanges say how the instance is.
 */
export interface BoundInstance {
  readonly onDirective: (directive: Directive) => void;
  /** How the instance is; for the next exchange, which is said until it is answered. */
  readonly report: () => InstanceReport;
  /** How its tasks are started in it. */
  readonly adapter: JobAdapter;
  readonly onEnded: (outcome: Outcome) => void;
}

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
  readonly lives: (wiring: LivesWiring) => Lives;
  /** What `SPAWN_SESSION` of every task is. */
  readonly marker: string;
  /** The server can be away this long before the session gives up, but always for the term of a lease; 0 = for ever. */
  readonly exitWhenGoneMs: number;
  readonly bound?: BoundInstance;
  /** Where steps of gangs run here; absent: members of gangs fail. */
  readonly stepPlaces?: StepPlaces | undefined;
  /** Where hosts of handlers are started; absent: handlers do not run here. */
  readonly hostForkers?: { readonly port: ForkerPort; readonly kind: ForkerKind | undefined };
  /** What srun starts in tasks; absent where they run in a place of their own. */
  readonly stepFolders?: StepFolders;
  /** One line for a person, without its end. */
  readonly log: (line: string) => void;
}

/** What its tasks are told of where they run: their node is the worker, by its name where it has one of its own. @param machine its name, without its domain */
export function placeOf({ marker, stepFolders, worker, bound, host, gpus }: SessionOptions, machine: string): Place {
  const node = bound === undefined && worker !== host ? worker : machine;
  return { session: marker, steps: stepFolders?.base, host: node, gpuVendor: gpus[0]?.vendor };
}
