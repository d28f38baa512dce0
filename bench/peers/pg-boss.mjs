// No-op tasks through pg-boss, once to warm up and once to count, with its calls for batches: two loops that fetch and complete, so
// no time is lost to polling. Prints one line of JSON: ms to add them, ms from then until the last is completed.
//
//     node pg-boss.mjs TASKS POSTGRES_SOCKET_FOLDER
import pg from 'pg';
import PgBoss from 'pg-boss';

const tasks = Number(process.argv[2]);
const connection = { host: process.argv[3], user: 'postgres', database: 'postgres' };
const WARM_UP = 10_000;
const ADD_AT_ONCE = 1_000;
const FETCH_AT_ONCE = 500;
const LOOPS = 2;

const client = new pg.Client(connection);
await client.connect();

async function round(count) {
  // Rows of an earlier round would slow this one down.
  await client.query('DROP SCHEMA IF EXISTS pgboss CASCADE');
  const boss = new PgBoss({ ...connection, supervise: false, schedule: false });
  await boss.start();
  await boss.createQueue('noop');

  const addFrom = performance.now();
  for (let added = 0; added < count; added += ADD_AT_ONCE) {
    const length = Math.min(ADD_AT_ONCE, count - added);
    await boss.insert(Array.from({ length }, (_, at) => ({ name: 'noop', data: { index: added + at } })));
  }
  const addMs = performance.now() - addFrom;

  const work = async () => {
    for (;;) {
      const jobs = await boss.fetch('noop', { batchSize: FETCH_AT_ONCE });
      if (jobs.length === 0) return;
      const ids = jobs.map(({ id }) => id);
      await boss.complete('noop', ids);
    }
  };
  const runFrom = performance.now();
  await Promise.all(Array.from({ length: LOOPS }, work));
  const runMs = performance.now() - runFrom;
  const { rows } = await client.query("SELECT count(*)::int AS count FROM pgboss.job WHERE state = 'completed'");
  if (rows[0].count !== count) throw new Error(`completed ${rows[0].count} of ${count}`);
  await boss.stop({ graceful: false });
  return { addMs, runMs };
}

await round(WARM_UP);
console.log(JSON.stringify(await round(tasks)));
await client.end();
