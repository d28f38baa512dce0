import { z } from 'zod';
import { ResourceAmounts } from './resources.ts';
import { Resources } from './session.ts';

/** What a coordinator tells of itself and of its workers. */

export const SessionView = z.object({
  id: z.int(),
  worker: z.string(),
  host: z.string(),
  pid: z.int(),
  resources: Resources,
  freeCpus: z.number(),
  running: z.int(),
  leased: z.int(),
  connected: z.boolean(),
  draining: z.boolean(),
  openedAt: z.number(),
  freeMemoryBytes: z.int().optional(),
  freeGpus: z.number().optional(),
  freeNamed: ResourceAmounts.optional(),
  /** Of its release. */
  version: z.string().optional(),
  api: z.int().optional(),
});
export type SessionView = z.infer<typeof SessionView>;

export const ServerView = z.object({
  version: z.string(),
  api: z.int(),
  pid: z.int(),
  host: z.string(),
  storeId: z.string(),
  epoch: z.int(),
  dataDir: z.string(),
  startedAt: z.number(),
  liveJobs: z.int(),
  /** False while the store refuses writes (disk full): reads work, writes get STORE_FULL. */
  writable: z.boolean(),
  counters: z.record(z.string(), z.number()),
  sessions: z.array(SessionView),
  /** Most tasks in one array. */
  maxArraySize: z.int().optional(),
  /** Where it listens besides its Unix socket, as URLs; absent: nowhere. */
  listens: z.array(z.string()).optional(),
  /** Where it answers DNS for instances; absent: nowhere. */
  dns: z.object({ address: z.string(), port: z.int(), domain: z.string() }).optional(),
});
export type ServerView = z.infer<typeof ServerView>;
