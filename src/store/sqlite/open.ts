import { mkdir, open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type {
  Batch,
  DeliveriesQuery,
  EndsQuery,
  EventsQuery,
  LoadedJob,
  LoadedState,
  Store,
  StoredInstancesQuery,
  StoredJobsQuery,
} from '../store.ts';
import type { DatabaseOptions } from './database.ts';
import { readFailure } from './failures.ts';
import { type FileSystem, refuseNetworkFileSystem } from './network-file-system.ts';
import { packBatch } from './pack-batch.ts';
import type { JobRows } from './read.ts';
import { fromJobRow } from './rows.ts';
import { startThread, type ThreadLink } from './thread-link.ts';

export interface SqliteStoreOptions extends Omit<DatabaseOptions, 'openedAt'> {
  /** The database file; made with its folder when there is none. `<path>.lock` and `<path>.owner` lie beside it. */
  readonly path: string;
  /** Epoch ms; stamps the owner file. Default `Date.now`. */
  readonly now?: () => number;
  /** What is known of the file system under a folder. Default: asks the system. */
  readonly readFileSystem?: (folder: string) => Promise<FileSystem>;
}

/**
 * Opens the store in an SQLite database, which a thread of its own reads and writes.
 * @throws STORE_LOCKED when another process has it open, STORE_NEWER, STORE_NETWORK_FS, STORE_FULL, STORE_FAILED
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { now = Date.now, readFileSystem, ...database } = options;
  const folder = resolve(dirname(options.path));
  try {
    await makeFolder(folder);
    await refuseNetworkFileSystem(folder, readFileSystem);
  } catch (error) {
    throw readFailure(error, options.path).error;
  }
  return new SqliteStore(await startThread({ ...database, openedAt: now() }));
}

/** The names of folders that are new must be as durable as what will lie in them; SQLite sees to the innermost. */
async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let path = folder; path !== dirname(first); path = dirname(path)) {
    const parent = await open(dirname(path), 'r');
    try {
      await parent.sync();
    } finally {
      await parent.close();
    }
  }
}

class SqliteStore implements Store {
  readonly storeId: string;
  readonly epoch: number;
  readonly #thread: ThreadLink;
  #closed: Promise<void> | undefined;

  constructor(thread: ThreadLink) {
    this.storeId = thread.storeId;
    this.epoch = thread.epoch;
    this.#thread = thread;
  }

  async load(): Promise<LoadedState> {
    const { jobs, pages, dependents, ...rest } = await this.#thread.call('load', []);
    return { ...rest, jobs: gatherJobs({ jobs, pages, dependents }) };
  }

  async commit(batch: Batch): Promise<void> {
    const { packed, transfer } = packBatch(batch);
    await this.#thread.call('commit', [packed], transfer);
  }

  async loadJob(id: number): Promise<LoadedJob | undefined> {
    return gatherJobs(await this.#thread.call('loadJob', [id]))[0];
  }

  async findJobs(query: StoredJobsQuery) {
    return (await this.#thread.call('findJobs', [query])).map(fromJobRow);
  }

  findEnds(query: EndsQuery) {
    return this.#thread.call('findEnds', [query]);
  }

  findKey(owner: string, key: string) {
    return this.#thread.call('findKey', [owner, key]);
  }

  findSessions(ids: readonly number[]) {
    return this.#thread.call('findSessions', [ids]);
  }

  findInstances(query: StoredInstancesQuery) {
    return this.#thread.call('findInstances', [query]);
  }

  findEvents(query: EventsQuery) {
    return this.#thread.call('findEvents', [query]);
  }

  findDeliveries(query: DeliveriesQuery) {
    return this.#thread.call('findDeliveries', [query]);
  }

  size() {
    return this.#thread.call('size', []);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    try {
      await this.#thread.call('close', []);
    } finally {
      await this.#thread.ended;
    }
  }
}

function gatherJobs({ jobs, pages, dependents }: JobRows): LoadedJob[] {
  const byId = new Map(jobs.map((row) => [row.id, { job: fromJobRow(row), pages: [], dependents: [] } as LoadedJob]));
  for (const page of pages) byId.get(page.jobId)?.pages.push(page);
  for (const { jobId, dependent } of dependents) byId.get(jobId)?.dependents.push(dependent);
  return [...byId.values()];
}
