import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { fromJSON, SpawnError } from '../../core/errors.ts';
import type { StoreCalls, StoreOpened, StoreReply, StoreRequest } from './calls.ts';
import type { DatabaseOptions } from './database.ts';

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (error: SpawnError) => void;
}

/** The other end of the store's thread. */
export interface ThreadLink {
  readonly storeId: string;
  readonly epoch: number;
  call<K extends keyof StoreCalls>(
    call: K,
    args: Parameters<StoreCalls[K]>,
    transfer?: readonly ArrayBuffer[],
  ): Promise<ReturnType<StoreCalls[K]>>;
  /** Resolves when the thread is gone. */
  readonly ended: Promise<void>;
}

let isLoadedHere = false;

/**
 * Node unloads a native module with the last thread that loaded it, while that thread's garbage may still call into it: the process
 * would crash now and then as a store is closed (better-sqlite3, issue 1476). So the main thread has it loaded, too.
 */
function keepLoaded(): void {
  if (isLoadedHere) return;
  new Database(':memory:').close();
  isLoadedHere = true;
}

/** Starts the thread; resolves once the store is open. */
export async function startThread(options: DatabaseOptions): Promise<ThreadLink> {
  keepLoaded();
  // Beside this file: `.ts` in the sources, where Node strips the types, `.js` when built.
  const entry = new URL(`./thread${extname(fileURLToPath(import.meta.url))}`, import.meta.url);
  // The flags of the main thread are not for this one: some, like a test runner's loader, would break it.
  const worker = new Worker(entry, { workerData: options, execArgv: [], name: 'store' });
  const waiting = new Map<number, Waiting>();
  let nextId = 1;
  let gone: SpawnError | undefined;

  const opened = Promise.withResolvers<StoreOpened>();
  const ended = Promise.withResolvers<void>();
  const fail = (why: string): void => {
    gone ??= new SpawnError('STORE_FAILED', { path: options.path, why: `${options.path}: ${why}` });
    opened.reject(gone);
    for (const { reject } of waiting.values()) reject(gone);
    waiting.clear();
  };
  worker.on('error', (error) => fail(`its thread failed: ${error.message}`));
  worker.on('exit', () => {
    fail('it is closed');
    ended.resolve();
  });
  worker.once('message', (first: StoreOpened) => {
    worker.on('message', (reply: StoreReply) => {
      const { resolve, reject } = waiting.get(reply.id)!;
      waiting.delete(reply.id);
      if ('error' in reply) reject(fromJSON(reply.error));
      else resolve(reply.value as never);
    });
    opened.resolve(first);
  });

  const first = await opened.promise;
  if ('error' in first) {
    await ended.promise;
    throw fromJSON(first.error);
  }
  return {
    ...first,
    ended: ended.promise,
    call: (call, args, transfer = []) => {
      if (gone !== undefined) return Promise.reject(gone);
      const id = nextId++;
      const reply = Promise.withResolvers<never>();
      waiting.set(id, reply);
      worker.postMessage({ id, call, args } satisfies StoreRequest, transfer);
      return reply.promise;
    },
  };
}
