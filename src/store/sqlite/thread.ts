// The thread that owns the database. Entry of a Worker: workerData is DatabaseOptions, the first message tells whether
// the store is open, then each request gets one reply, in order.
import { statSync } from 'node:fs';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { SpawnError } from '../../core/errors.ts';
import type { StoreCalls, StoreOpened, StoreReply, StoreRequest } from './calls.ts';
import { type DatabaseOptions, openDatabase, type StoreDatabase } from './database.ts';
import { readFailure } from './failures.ts';

function run(port: MessagePort, options: DatabaseOptions): void {
  let database: StoreDatabase;
  try {
    database = openDatabase(options);
  } catch (error) {
    port.postMessage({ error: readFailure(error, options.path).error.toJSON() } satisfies StoreOpened);
    port.close();
    return;
  }
  const calls: StoreCalls = { ...database, size: () => sizeOf(options.path) };
  let failed: SpawnError | undefined;

  port.on('message', ({ id, call, args }: StoreRequest) => {
    let reply: StoreReply;
    try {
      if (failed !== undefined && call !== 'close') throw failed;
      reply = { id, value: (calls[call] as (...args: readonly unknown[]) => unknown)(...args) };
    } catch (error) {
      const failure = readFailure(error, options.path);
      if (failure.fatal) failed ??= failure.error;
      reply = { id, error: failure.error.toJSON() };
    }
    port.postMessage(reply);
    if (call === 'close') port.close();
    else if (failed === undefined) database.onAnswered();
  });
  const { storeId, epoch } = database;
  port.postMessage({ storeId, epoch } satisfies StoreOpened);
}

function sizeOf(path: string): number {
  return [path, `${path}-wal`].reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0);
}

if (parentPort !== null) run(parentPort, workerData as DatabaseOptions);
