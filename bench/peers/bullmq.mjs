// No-op tasks through BullMQ, once to warm up and once to count. Prints one line of JSON: ms to add them, ms from then until the
// last is completed.
//
//     node bullmq.mjs TASKS REDIS_SOCKET
import { Queue, Worker } from 'bullmq';

const tasks = Number(process.argv[2]);
const connection = { path: process.argv[3], maxRetriesPerRequest: null };
const WARM_UP = 10_000;
const ADD_AT_ONCE = 1_000;
const CONCURRENCY = 100;

async function round(count) {
  const queue = new Queue('noop', { connection });
  await queue.obliterate({ force: true });
  const worker = new Worker('noop', async () => {}, { connection, concurrency: CONCURRENCY, autorun: false });
  await worker.waitUntilReady();

  const addFrom = performance.now();
  for (let added = 0; added < count; added += ADD_AT_ONCE) {
    const length = Math.min(ADD_AT_ONCE, count - added);
    await queue.addBulk(Array.from({ length }, (_, at) => ({ name: 'noop', data: { index: added + at } })));
  }
  const addMs = performance.now() - addFrom;

  let completed = 0;
  const runFrom = performance.now();
  await new Promise((resolve, reject) => {
    worker.on('error', reject);
    worker.on('failed', (_, error) => reject(error));
    // Comes once Redis has answered that the job is completed.
    worker.on('completed', () => {
      completed += 1;
      if (completed === count) resolve();
    });
    worker.run().catch(reject);
  });
  const runMs = performance.now() - runFrom;
  const counts = await queue.getJobCounts('completed');
  if (counts.completed !== count) throw new Error(`completed ${counts.completed} of ${count}`);
  await worker.close();
  await queue.close();
  return { addMs, runMs };
}

await round(WARM_UP);
console.log(JSON.stringify(await round(tasks)));
