// No-op tasks through graphile-worker, once to warm up and once to count, with its local queue and batched completion. Prints one
// line of JSON: ms to add them, ms from then until the last is completed in the database.
//
//     node graphile-worker.mjs TASKS POSTGRES_SOCKET_FOLDER
import { setTimeout as wait } from 'node:timers/promises';
import { Logger, run, runMigrations } from 'graphile-worker';
import pg from 'pg';

const tasks = Number(process.argv[2]);
const WARM_UP = 10_000;
const CONCURRENCY = 24;
const LOCAL_QUEUE = 500;

const pgPool = new pg.Pool({ host: process.argv[3], user: 'postgres', database: 'postgres', max: 10 });
const logger = new Logger(() => () => {});

async function round(count) {
  // Rows of an earlier round would slow this one down.
  await pgPool.query('DROP SCHEMA IF EXISTS graphile_worker CASCADE');
  await runMigrations({ pgPool, logger });

  const addFrom = performance.now();
  await pgPool.query(
    `SELECT graphile_worker.add_jobs(array(
       SELECT json_populate_record(null::graphile_worker.job_spec,
         json_build_object('identifier', 'noop', 'payload', json_build_object('index', at)))
       FROM generate_series(1, $1::int) AS at))`,
    [count],
  );
  const addMs = performance.now() - addFrom;

  let executed = 0;
  const all = Promise.withResolvers();
  const noop = () => {
    executed += 1;
    if (executed === count) all.resolve();
  };
  const batches = { localQueue: { size: LOCAL_QUEUE }, completeJobBatchDelay: 0, failJobBatchDelay: 0 };
  const preset = { worker: { concurrentJobs: CONCURRENCY, ...batches, logger } };
  const runFrom = performance.now();
  const runner = await run({ pgPool, noHandleSignals: true, taskList: { noop }, preset });
  await all.promise;
  // A completed job is a row that is gone. The last batch of them is written after the last task was executed.
  while ((await pgPool.query('SELECT 1 FROM graphile_worker._private_jobs LIMIT 1')).rowCount > 0) await wait(1);
  const runMs = performance.now() - runFrom;
  if (executed !== count) throw new Error(`executed ${executed} of ${count}`);
  await runner.stop();
  return { addMs, runMs };
}

await round(WARM_UP);
console.log(JSON.stringify(await round(tasks)));
await pgPool.end();
