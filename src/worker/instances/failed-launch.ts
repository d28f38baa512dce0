import type { MachineOrder } from '../../api/instance-session.ts';
import { API_VERSION } from '../../api/limits.ts';
import { isSpawnError } from '../../core/errors.ts';
import { Backoff } from '../backoff.ts';
import { NO_RETRY } from '../client.ts';
import type { AgentPlace } from './agent-place.ts';

/** Tells the coordinator that a machine could not be started; tries until it knows, or wants nothing of it. */
export async function reportFailedLaunch(
  order: MachineOrder,
  why: string,
  { client, clock, host, version, log }: AgentPlace,
  signal: AbortSignal,
): Promise<void> {
  const options = { ...NO_RETRY, signal };
  const backoff = new Backoff({ firstMs: 50, mostMs: 5_000 });
  const hello = {
    worker: order.name,
    host,
    pid: process.pid,
    bootId: clock.bootId,
    instance: order.id,
    bound: {},
    resources: { cpus: order.type.vcpus, memoryBytes: order.type.memoryBytes },
    api: API_VERSION,
    version,
  };
  const report = {
    version: 0,
    state: 'terminated',
    reason: 'launch-failed',
    ranMs: 0,
    message: why.slice(0, 4_096),
  } as const;
  while (!signal.aborted) {
    try {
      const { sessionId } = await client.hello(hello, options);
      const held = { count: 0, sum: 0 };
      const { deferred } = await client.exchange(
        sessionId,
        { seq: 1, ack: 0, held, draining: true, instance: report },
        options,
      );
      if (!deferred) return await client.bye(sessionId, options);
    } catch (error) {
      if (isSpawnError(error) && error.http >= 400 && error.http < 500 && error.code !== 'SESSION_UNKNOWN') {
        log(`${order.name} (${order.id}): ${error.message}`);
        return;
      }
    }
    await backoff.pause(signal);
  }
}
