import { API_VERSION } from '../../src/api/limits.ts';
import type { SpawnClient } from '../../src/client/client.ts';

/** A worker that runs nothing: every grant ends at once, with the outcome the test wants. Resolves when `signal` aborts. */
export async function runEmptyWorker(
  client: SpawnClient,
  cpus: number,
  outcomeOf: (position: number) => number,
  signal: AbortSignal,
): Promise<void> {
  const { sessionId } = await client.hello({
    worker: 'empty',
    host: 'test',
    pid: process.pid,
    bootId: 'test',
    resources: { cpus, memoryBytes: 2 ** 30 },
    api: API_VERSION,
    version: 'test',
  });
  let seq = 0;
  for await (const message of client.stream(sessionId, 0, { signal })) {
    if (message.type !== 'grant') continue;
    for (const [fence, position, count] of message.runs) {
      const outcome = Array.from({ length: count }, (_, at) => outcomeOf(position + at));
      const wallUs = outcome.map((_, at) => 10 + (at % 7));
      seq++;
      await client.exchange(sessionId, {
        seq,
        ack: message.n,
        ends: { runs: [[fence, count]], outcome, wallUs },
        held: { count: 0, sum: 0 },
      });
    }
  }
}
