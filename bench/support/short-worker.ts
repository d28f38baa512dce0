import { API_VERSION } from '../../src/api/limits.ts';
import type { FenceRun } from '../../src/api/session.ts';
import type { SpawnClient } from '../../src/client/client.ts';

export interface ShortWorker {
  /** Tasks that ended, by job. */
  readonly ended: ReadonlyMap<number, number>;
  /** When the first task of a job started, on the clock of `performance`. */
  readonly firstAt: ReadonlyMap<number, number>;
}

interface Held {
  readonly fence: number;
  readonly job: number;
}

/** Takes grants, lets each task last a fixed time in one of its slots, first come first served, and runs nothing. Gives back what it is asked for. */
export function shortWorker(
  client: SpawnClient,
  { slots, taskMs, signal }: { slots: number; taskMs: number; signal: AbortSignal },
): ShortWorker {
  const ended = new Map<number, number>();
  const firstAt = new Map<number, number>();
  const run = async (): Promise<void> => {
    const { sessionId } = await client.hello({
      worker: 'bench',
      host: 'bench',
      pid: process.pid,
      bootId: 'bench',
      resources: { cpus: slots, memoryBytes: 2 ** 30 },
      api: API_VERSION,
      version: 'bench',
    });
    const waiting = new Map<number, Held>();
    const held = { count: 0, sum: 0 };
    let [ack, seq, running, sending] = [0, 0, 0, false];
    let over: FenceRun[] = [];
    let returned: FenceRun[] = [];
    const forget = ({ fence }: Held): void => {
      held.count--;
      held.sum = (held.sum - fence + 2 ** 48) % 2 ** 48;
    };
    const send = async (): Promise<void> => {
      if (sending) return;
      sending = true;
      while (over.length + returned.length > 0 && !signal.aborted) {
        const [runs, back] = [over, returned];
        [over, returned] = [[], []];
        const ends = { runs, wallUs: runs.map(() => taskMs * 1_000) };
        await client.exchange(sessionId, { seq: ++seq, ack, ends, returned: back, held: { ...held } });
      }
      sending = false;
    };
    const startSome = (): void => {
      for (const task of waiting.values()) {
        if (running >= slots) return;
        waiting.delete(task.fence);
        running++;
        if (!firstAt.has(task.job)) firstAt.set(task.job, performance.now());
        setTimeout(() => {
          running--;
          forget(task);
          ended.set(task.job, (ended.get(task.job) ?? 0) + 1);
          over.push([task.fence, 1]);
          startSome();
          void send();
        }, taskMs);
      }
    };
    for await (const message of client.stream(sessionId, 0, { signal })) {
      if (message.type === 'ping') continue;
      ack = message.n;
      if (message.type === 'revoke') {
        for (const [base, count] of message.fences) {
          for (let fence = base; fence < base + count; fence++) {
            const task = waiting.get(fence);
            if (task === undefined) continue;
            waiting.delete(fence);
            forget(task);
            returned.push([fence, 1]);
          }
        }
        void send();
      }
      if (message.type !== 'grant') continue;
      for (const [base, , count] of message.runs) {
        for (let fence = base; fence < base + count; fence++) {
          waiting.set(fence, { fence, job: message.job });
          held.count++;
          held.sum = (held.sum + fence) % 2 ** 48;
        }
      }
      startSome();
    }
  };
  run().catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  return { ended, firstAt };
}
