import { API_VERSION } from '../../src/api/limits.ts';
import type { FenceRun } from '../../src/api/session.ts';
import type { SpawnClient } from '../../src/client/client.ts';

/** Takes every grant and reports its tasks ended at once, running nothing, until stopped. */
export async function emptyWorker(client: SpawnClient, signal: AbortSignal): Promise<void> {
  const { sessionId } = await client.hello({
    worker: 'bench',
    host: 'bench',
    pid: process.pid,
    bootId: 'bench',
    resources: { cpus: 2, memoryBytes: 2 ** 30 },
    api: API_VERSION,
    version: 'bench',
  });
  const held = { count: 0, sum: 0 };
  let ack = 0;
  let seq = 0;
  let queue: FenceRun[] = [];
  let sending = false;
  const send = async (): Promise<void> => {
    if (sending) return;
    sending = true;
    while (queue.length > 0) {
      const runs = queue;
      queue = [];
      const count = runs.reduce((sum, [, length]) => sum + length, 0);
      // Durations as a handler worker would measure them: one number a task crosses the wire.
      const wallUs = Array.from({ length: count }, (_, at) => 3 + (at % 5));
      await client.exchange(sessionId, { seq: ++seq, ack, ends: { runs, wallUs }, held });
    }
    sending = false;
  };
  for await (const message of client.stream(sessionId, 0, { signal })) {
    if (message.type === 'ping') continue;
    ack = message.n;
    if (message.type !== 'grant') continue;
    for (const [fence, , count] of message.runs) queue.push([fence, count]);
    void send();
  }
}

/** Submits an array of no-op tasks and waits for its end: ms from before the request until its end is known to be durable. */
export async function noopArrayMs(client: SpawnClient, size: number): Promise<number> {
  const from = performance.now();
  const { job } = await client.submit({
    spec: { run: { kind: 'argv', argv: ['true'] }, cwd: '/', name: 'noop', array: `0-${size - 1}` },
  });
  for await (const delta of client.watch(String(job.id))) {
    if (delta.endedAt === undefined) continue;
    if (delta.counts.completed !== size) throw new Error(`completed ${delta.counts.completed} of ${size}`);
    break;
  }
  return performance.now() - from;
}
