import type { SpawnErrorJson } from '../../core/errors.ts';
import type {
  DeliveriesQuery,
  EndsQuery,
  EventsQuery,
  NumberedDelivery,
  StoredEnds,
  StoredEvent,
  StoredInstance,
  StoredInstancesQuery,
  StoredJobsQuery,
  StoredKey,
  StoredSession,
} from '../store.ts';
import type { PackedBatch } from './pack-batch.ts';
import type { JobRows, LiveRows } from './read.ts';
import type { JobRow } from './rows.ts';

/** What the thread does when asked, one request after another. */
export interface StoreCalls {
  commit(batch: PackedBatch): void;
  load(): LiveRows;
  loadJob(id: number): JobRows;
  findJobs(query: StoredJobsQuery): JobRow[];
  findEnds(query: EndsQuery): StoredEnds[];
  findKey(owner: string, key: string): StoredKey | undefined;
  findSessions(ids: readonly number[]): StoredSession[];
  findInstances(query: StoredInstancesQuery): StoredInstance[];
  findEvents(query: EventsQuery): StoredEvent[];
  findDeliveries(query: DeliveriesQuery): NumberedDelivery[];
  size(): number;
  /** The last one. */
  close(): void;
}

export interface StoreRequest {
  readonly id: number;
  readonly call: keyof StoreCalls;
  readonly args: readonly unknown[];
}

/** An error crosses threads as JSON: its class would be lost. */
export type StoreReply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: SpawnErrorJson };

/** The first message of the thread. */
export type StoreOpened = { readonly storeId: string; readonly epoch: number } | { readonly error: SpawnErrorJson };
